"""Where the fits of a comparison run: this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import joblib

from thetahat.errors import UsageError

__all__ = ["on_cluster"]

SECONDS_TO_ANSWER = 10
STARTS = 3
LOCAL: Mapping[str, Any] = {"threads_per_worker": 1, "dashboard_address": ":0"}


@contextmanager
def on_cluster(address: str | None) -> Iterator[bool]:
    """Send the work inside to a cluster; tell whether there is one.

    Parameters
    ----------
    address : str or None
        ``tcp://host:8786`` of a running scheduler, ``local:N`` for N processes of this machine, or None for
        none. A worker that dies is replaced, and what it had is done again: the result does not change.

    Yields
    ------
    bool
        Whether there is a cluster.

    Raises
    ------
    UsageError
        Dask is not installed, the address cannot be meant, or no scheduler answers there.
    """
    if address is None:
        yield False
        return
    try:
        import dask  # noqa: PLC0415
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
        with ExitStack() as stack:
            # Dask leaves its folder behind when a worker is killed.
            folder = stack.enter_context(TemporaryDirectory(prefix="thetahat-", ignore_cleanup_errors=True))
            stack.enter_context(dask.config.set({"temporary-directory": folder}))
            cluster = stack.enter_context(_started(partial(LocalCluster, **LOCAL), workers))
            stack.enter_context(Client(cluster))
            stack.enter_context(joblib.parallel_config(backend="dask"))
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


def _started(make: Callable[..., Any], workers: int) -> Any:
    """Start a cluster of this machine, again where a worker died before it was there."""
    for attempt in range(STARTS):
        try:
            return make(n_workers=workers)
        except (OSError, RuntimeError) as error:
            if attempt == STARTS - 1:
                raise UsageError(
                    f"cluster: {workers} worker processes did not start ({error}); try fewer, or jobs"
                ) from None
    raise AssertionError
