"""``python -m benchmarks NAME [options]``."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def main() -> None:
    names = sorted(
        path.stem
        for path in Path(__file__).parent.glob("*.py")
        if path.stem != "pairing" and not path.stem.startswith("_")
    )
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        print(f"usage: python -m benchmarks NAME, where NAME is one of: {', '.join(names)}", file=sys.stderr)
        raise SystemExit(2)
    # Equal threads on both sides: set before any library with threads is imported.
    for variable in ONE_THREAD:
        os.environ.setdefault(variable, "1")
    import_module(f"benchmarks.{sys.argv[1]}").main(sys.argv[2:])


main()
