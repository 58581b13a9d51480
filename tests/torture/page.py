"""docs/reliability.md: one section an item, each rewritten from a run of its own."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from tests.torture.record import ITEMS, Item, Record

__all__ = ["command", "rewrite", "section", "table"]

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
HEAD = """# Reliability

What happens to bad data, bad files, kills and full disks, and whether a result that says it converged has
converged. Every figure below was printed by the command over it; `make torture` runs all of them and
rewrites this page.

- A *crash* is an error without a cause (anything but our own errors, or a `ValueError` or `TypeError` whose
  message names one), or a process or a file lost.
- A *hang* is a case that passed its cap of time.
- A *false success* is a result that is wrong, or holds NaN, while its status says that it converged.
"""


def command(name: str) -> str:
    """Return the command that reprints an item's table."""
    return f"python -m tests.torture {name} --long"


def _rows(rows: list[list[str]]) -> str:
    head, *rest = rows
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rest]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def table(record: Record) -> str:
    """Return the counts, ours first, then the parts."""
    counts = [["", "cases", "crashes", "hangs", "false successes"]]
    for name, of in (("thetahat", record), *((peer.name, peer) for peer in record.peers)):
        counts.append([name, *(f"{number:,}" for number in (of.cases, of.crashes, of.hangs, of.dishonest))])
    out = _rows(counts)
    if record.parts:
        out += "\n\n" + _rows([list(record.heads), *([name, *row] for name, row in record.parts.items())])
    return out


def section(name: str, item: Item, record: Record) -> str:
    """Return an item's section."""
    where = f"{date.today()}, Python {platform.python_version()}, {os.cpu_count()} cores"
    parts = [
        f"## {item.TITLE}",
        item.CLAIM,
        f"```console\n$ {command(name)}\n```",
        table(record),
        *record.notes,
        f"{record.seconds:.0f} s ({where}).",
        f"Not covered: {item.NOT_COVERED}",
    ]
    return "\n\n".join(parts) + "\n"


def rewrite(records: Mapping[str, tuple[Item, Record]], page: Path = PAGE) -> None:
    """Put these sections into the page and leave the others as they are."""
    old = page.read_text(encoding="utf-8") if page.exists() else ""
    kept = dict(re.findall(r"<!-- (\w+) -->\n(.*?)(?=\n<!-- \w+ -->\n|\Z)", old, flags=re.DOTALL))
    kept.update({name: section(name, *found) for name, found in records.items()})
    body = "\n".join(f"<!-- {name} -->\n{kept[name].strip()}\n" for name in ITEMS if name in kept)
    page.write_text(f"{HEAD}\n{body}", encoding="utf-8")
