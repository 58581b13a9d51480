"""``{statement} NAME``: an experiment of ``thetahat theory``, run while the pages are built.

``{notes-map} LANGUAGE`` lists every section of the notes with its module, functions and experiments.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

import thetahat
from thetahat.report.theory import evidence
from thetahat.report.theory_words import LABELS, verdict_sentence
from thetahat.results.theory import Language, StatementRecord, TheoryRecord
from thetahat.theory import registry

MARKS = {"holds": "holds", "holds only if": "only", "fails": "fails"}
# Pixels of a figure in the column of text.
COLUMN = 640.0
found: dict[str, StatementRecord] = {}


def run_experiments(app: Sphinx) -> None:
    """Run every experiment, unless this very code was run before."""
    package = Path(str(find_spec("thetahat").origin)).parent  # type: ignore[union-attr]
    code = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        code.update(path.read_bytes())
    kept = Path(app.doctreedir) / f"theory-{code.hexdigest()[:16]}.json"
    if kept.exists():
        record = msgspec.json.decode(kept.read_bytes(), type=TheoryRecord)
    else:
        logging.getLogger(__name__).info("running the statements of the theory")
        record = registry.examine_all()
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(msgspec.json.encode(record))
    found.update({each.name: each for chapter in record.chapters for each in chapter.statements})


class StatementDirective(SphinxDirective):
    """What is claimed, the verdict, the figure, the numbers and the calls of one statement."""

    required_arguments = 1
    option_spec = {}

    def run(self) -> list[nodes.Node]:
        """Return the statement as nodes."""
        if self.arguments[0] not in found:
            raise self.error(f"there is no statement {self.arguments[0]!r}")
        each, language = found[self.arguments[0]], _language(self.env.docname)
        place = f"statement-{each.name}"
        self.env.domains.standard_domain.anonlabels[place] = self.env.docname, place
        box = nodes.container(classes=["statement"], ids=[place])
        claim = nodes.paragraph()
        claim += nodes.emphasis(text=f"{LABELS['claim'].of(language)}: {each.claim.of(language)}")
        verdict = nodes.paragraph(classes=["verdict", MARKS[each.verdict]])
        verdict += nodes.strong(text=verdict_sentence(each, language) + ".")
        verdict += nodes.Text(" " + each.remark.of(language))
        code = nodes.literal_block(each.calls, each.calls, language="python")
        again = nodes.paragraph(classes=["again"])
        again += nodes.literal(text=f"thetahat theory {each.name}")
        box += [
            claim,
            verdict,
            nodes.raw("", evidence(each, language, wide=COLUMN), format="html"),
            code,
            again,
        ]
        return [box]


class NotesMapDirective(SphinxDirective):
    """The sections of the notes: where each lives in the library."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a section a section."""
        language: Language = self.arguments[0]
        rests, written = {"en": ("rests on", "written in"), "ru": ("держится на", "записан в")}[language]
        sections: list[nodes.Node] = []
        for chapter in registry.CHAPTERS:
            section = nodes.section(ids=[f"section-{chapter.number.replace('.', '-')}"])
            section += nodes.title(text=f"{chapter.number} {chapter.title.of(language)}")
            experiments = nodes.bullet_list()
            for each in chapter.statements:
                line = nodes.paragraph()
                line += [_to_statement(each.name, each.title.of(language)), nodes.Text(f"; {rests} ")]
                line += [_to_function(each.rests_on), nodes.Text(f", {written} ")]
                line += nodes.literal(text=each.measure.__module__)
                item = nodes.list_item()
                item += line
                experiments += item
            section += experiments
            sections.append(section)
        return sections


def _to_statement(name: str, title: str) -> nodes.Node:
    link = addnodes.pending_xref(
        "", refdomain="std", reftype="ref", reftarget=f"statement-{name}", refexplicit=True, refwarn=True
    )
    link += nodes.inline(text=title)
    return link


def _to_function(place: str) -> nodes.Node:
    """Link to the reference where the function is public; else say where it is."""
    module, _, name = place.partition(":")
    first = name.partition(".")[0]
    for home in (thetahat, thetahat.autodiff):
        known = getattr(home, first, None) if first in home.__all__ else None
        if getattr(known, "__module__", None) == module:
            shown = f"{home.__name__}.{name}"
            link = addnodes.pending_xref(
                "", refdomain="py", reftype="obj", reftarget=shown, refexplicit=True, refwarn=True
            )
            link += nodes.literal(text=shown)
            return link
    return nodes.literal(text=f"{module}.{name}")


def _language(page: str) -> Language:
    return "ru" if page.endswith(".ru") else "en"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.connect("builder-inited", run_experiments)
    app.add_directive("statement", StatementDirective)
    app.add_directive("notes-map", NotesMapDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
