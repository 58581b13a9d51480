"""The structure that a reader relies on."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import thetahat as th

SOURCE = Path(th.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
FORBIDDEN = {"utils", "helpers", "common", "misc", "base"}


def test_every_exported_name_is_there_and_documented():
    for name in th.__all__:
        assert getattr(th, name).__doc__, name


def test_dir_shows_what_is_exported():
    assert set(th.__all__) <= set(dir(th))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_file_is_longer_than_500_lines(path):
    assert len(path.read_text().splitlines()) <= 500


def test_no_module_is_a_drawer_for_odds_and_ends():
    assert not [path for path in FILES if path.stem in FORBIDDEN or path.parent.name in FORBIDDEN]


def test_every_module_says_what_it_is_for():
    assert not [path for path in FILES if not ast.get_docstring(ast.parse(path.read_text()))]


def test_what_a_module_exports_is_in_it():
    for path in FILES:
        if path.name == "__init__.py" or path.parent.name == "templates":
            continue
        name = ".".join(("thetahat", *path.relative_to(SOURCE).with_suffix("").parts))
        if name == "thetahat.__main__":
            continue
        module = importlib.import_module(name)
        assert all(hasattr(module, each) for each in getattr(module, "__all__", ())), name


def test_help_waits_for_nothing_heavy():
    heavy = "numpy", "polars", "sklearn", "matplotlib"
    script = f"import sys, thetahat.cli; print([name for name in {heavy} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
