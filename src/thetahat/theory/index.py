"""The index of the statements, as Markdown: section by section, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from thetahat.theory.errata import ERRATA
from thetahat.theory.registry import CHAPTERS

__all__ = ["markdown"]

SIGNS: Mapping[str, str] = {
    "holds": "holds",
    "holds only if": "**only under a condition**",
    "fails": "**fails**",
}


def markdown() -> str:
    """Return the tables of every statement and every slip, under the headings of their sections."""
    lines = []
    for chapter in CHAPTERS:
        lines += [
            f"### {chapter.number} {chapter.title.en} · {chapter.title.ru}",
            "",
            "| `thetahat theory …` | statement | утверждение | verdict | rests on |",
            "|---|---|---|---|---|",
        ]
        for each in chapter.statements:
            cells = (
                f"`{each.name}`",
                each.title.en,
                each.title.ru,
                SIGNS[each.expected],
                f"`{each.rests_on.replace(':', '.')}`",
            )
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    conditions = [
        f"- `{each.name}`: {each.claim.en} {each.remark.en}"
        for chapter in CHAPTERS
        for each in chapter.statements
        if each.expected != "holds"
    ]
    lines += ["## Where the notes claim too much", "", *conditions, "", "## Slips of the notes", ""]
    lines += ["| section | written | read | why | почему |", "|---|---|---|---|---|"]
    for slip in ERRATA:
        cells = (slip.section, slip.written.en, slip.meant.en, slip.why.en, slip.why.ru)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
