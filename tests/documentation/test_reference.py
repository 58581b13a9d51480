"""The reference holds every public name, each with the docstring that numpydoc asks for."""

import inspect
import re

import pytest
from numpydoc.validate import validate

import thetahat
import thetahat.autodiff
from tests.documentation.blocks import ROOT
from thetahat.theory import registry

# Sections that a docstring may do without; a formula may open one; parameters may be grouped.
NEVER_ASKED = {"SA01", "EX01", "ES01", "SS02", "PR03"}
# A method's parameters may stand in its one line.
NOT_OF_METHODS = {"PR01", "RT01", "PR04"}
MACHINERY = {thetahat.BatchSource, thetahat.Code, thetahat.Severity}


def names(module):
    for name in module.__all__:
        if not inspect.ismodule(getattr(module, name)):
            yield f"{module.__name__}.{name}"


PUBLIC = [*names(thetahat), *names(thetahat.autodiff)]


def listed(page):
    blocks = re.findall(
        r"currentmodule:: (\S+)\s+\.\. autosummary::\n\s+:toctree: \S+\n\n(.*?)```", page, re.DOTALL
    )
    return [f"{module}.{name}" for module, text in blocks for name in text.split()]


def test_the_reference_lists_every_public_name_once():
    pages = (ROOT / "docs" / "reference").glob("*.md")
    found = [name for page in pages for name in listed(page.read_text(encoding="utf-8"))]
    assert sorted(name for name in found if not name.startswith("thetahat.contracts.")) == sorted(PUBLIC)


def faults(name, waived):
    report = validate(name)
    said = report["docstring"].split("\n", 1)[0]
    for code, words in report["errors"]:
        told = code == "RT01" and said.startswith(("Return", "Yield"))
        if code not in waived and not told:
            yield f"{name}: {code} {words}"


@pytest.mark.parametrize("name", PUBLIC)
def test_docstring_is_whole(name):
    thing = thetahat
    for part in name.split(".")[1:]:
        thing = getattr(thing, part)
    waived = NEVER_ASKED | (NOT_OF_METHODS if thing in MACHINERY else set())
    found = list(faults(name, waived))
    if inspect.isclass(thing):
        for member, value in vars(thing).items():
            written = getattr(value, "__doc__", None) and not member.startswith("_")
            if written and (callable(value) or isinstance(value, property | classmethod)):
                found += faults(f"{name}.{member}", NEVER_ASKED | NOT_OF_METHODS)
    assert not found, "\n".join(found)


def test_every_statement_of_the_theory_is_on_one_page():
    pages = (ROOT / "docs" / "explanation").glob("*.md")
    said = [
        name
        for page in pages
        for name in re.findall(r"```\{statement\} (\S+)", page.read_text(encoding="utf-8"))
    ]
    assert sorted(said) == sorted(each.name for _, each in registry.statements())


def test_the_readme_shows_its_two_pictures_and_they_are_there():
    shown = re.findall(r"!\[([^]]+)\]\((\S+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert [path for _, path in shown] == ["docs/images/forest.svg", "docs/images/capacity.svg"]
    assert all(words and (ROOT / path).exists() for words, path in shown)
