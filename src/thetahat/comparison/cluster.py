"""Where the fits of a comparison run: this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import joblib

from thetahat.errors import UsageError

__all__ = ["on_cluster"]

SECONDS_TO_ANSWER = 10


@contextmanager
def on_cluster(address: str | None) -> Iterator[bool]:
    """Send the work inside to a cluster; tell whether there is one.

    Parameters
    ----------
    address : str or None
        ``tcp://host:8786`` of a running scheduler, ``local:N`` for N processes of this machine, or None for
        none. A worker that dies is replaced, and what it had is done again: the result does not change.

    Raises
    ------
    UsageError
        Dask is not installed, the address cannot be meant, or no scheduler answers there.
    """
    if address is None:
        yield False
        return
    try:
        from distributed import Client, LocalCluster  # noqa: PLC0415
    except ImportError:
        raise UsageError("cluster: needs Dask; pip install 'thetahat[dask]'") from None
    local = re.fullmatch(r"local(?::(\d+))?", address)
    if local is None and not re.match(r"[a-z]+://", address):
        raise UsageError(f"cluster: {address!r} is neither local:N nor an address such as tcp://host:8786")
    if local is not None:
        workers = int(local[1] or 2)
        if workers < 1:
            raise UsageError("cluster: local:N takes at least 1 worker")
        with (
            LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster),
            joblib.parallel_config(backend="dask"),
        ):
            yield True
        return
    try:
        client = Client(address, timeout=SECONDS_TO_ANSWER)
    except (OSError, TimeoutError) as error:
        raise UsageError(
            f"cluster: no scheduler answers at {address} ({type(error).__name__}); start one with "
            "'dask scheduler', or use local:N"
        ) from None
    with client, joblib.parallel_config(backend="dask"):
        yield True
