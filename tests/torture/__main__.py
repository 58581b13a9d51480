"""``python -m tests.torture [ITEM ...] [--long] [--write]``."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace

import numpy as np

from tests.torture.page import rewrite, table
from tests.torture.record import items


def main() -> int:
    found = items()
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description="Run and count.")
    parser.add_argument("item", nargs="*", help=f"which; all if none: {', '.join(found)}")
    parser.add_argument("--long", action="store_true", help="as many cases as docs/reliability.md speaks of")
    parser.add_argument("--cases", type=int, help="how many cases an item, instead")
    parser.add_argument("--seed", type=int, default=0, help="of the cases (0)")
    parser.add_argument("--write", action="store_true", help="rewrite the items' sections of the page")
    options = parser.parse_args()
    if unknown := [name for name in options.item if name not in found]:
        parser.error(f"no such item: {', '.join(unknown)}")
    records = {}
    for name in options.item or found:
        item = found[name]
        cases = options.cases or (item.LONG if options.long else item.SHORT)
        begun = time.perf_counter()
        record = item.run(cases, np.random.default_rng(options.seed))
        record = replace(record, seconds=time.perf_counter() - begun)
        print(f"\n{item.TITLE}: {record.seconds:.0f} s\n\n{table(record)}\n")
        print("\n".join([*record.notes, *record.findings]), flush=True)
        records[name] = item, record
        if options.write:
            rewrite({name: records[name]})
    return int(any(record.faults for _, record in records.values()))


if __name__ == "__main__":
    sys.exit(main())
