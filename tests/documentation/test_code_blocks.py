"""Every code block of the documentation runs, and what is quoted under it is what it gives."""

import re
from pathlib import Path
from unittest import SkipTest

import matplotlib
import pytest
from sybil import Document

from tests.documentation.agreement import disagreement, missing_number
from tests.documentation.blocks import PARSERS, ROOT
from tests.documentation.files import write_tables

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *(
        path
        for path in sorted((ROOT / "docs").rglob("*.md"))
        if not {"_build", "gallery", "generated"} & set(path.parts)
    ),
]
NAMED = [pytest.param(path, id=str(path.relative_to(ROOT))) for path in PAGES]
LANGUAGES = {"python", "console", "text", "toml", "yaml", "json"}


@pytest.mark.parametrize("path", NAMED)
def test_blocks_of_a_page_run(path: Path, tmp_path, monkeypatch):
    document = Document.parse(str(path), *PARSERS)
    examples = list(document)
    if not examples:
        return
    write_tables(tmp_path)
    monkeypatch.chdir(tmp_path)
    matplotlib.use("svg")
    for example in examples:
        try:
            example.evaluate()
        except SkipTest:
            assert "python" not in path.read_text(encoding="utf-8").splitlines()[example.line - 1]


@pytest.mark.parametrize("path", NAMED)
def test_blocks_of_a_page_say_what_they_are(path: Path):
    """Nothing that looks like code hides from being run."""
    inside = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fence = re.match(r"\s*```+\s*(.*)$", line)
        if fence and not inside:
            language = fence.group(1)
            assert language in LANGUAGES or language.startswith("{"), f"{path}:{number}: {language!r}"
        inside = inside != bool(fence)
        hidden = not inside and re.match(r"    (thetahat|python|make|pip|import|from) ", line)
        assert not hidden, f"{path}:{number}: write it as a console or python block"


def test_numbers_are_held_to_the_digits_that_are_quoted():
    assert disagreement("error 0.123 ± 0.01", "error  0.1234 ± 0.012") is None
    assert disagreement("error 0.123", "error 0.133") is not None
    assert disagreement("12 rows", "13 rows") is not None
    assert disagreement("a … b 1.5", "a 7 and\n8 b 1.52") is None
    assert disagreement("a … b", "a 7 c") is not None
    assert missing_number("0.98 of them", "0.9844") is None
    assert missing_number("0.97 of them", "0.9944") == "0.97"
    assert missing_number("0.98: the truth is 3", "0.9844") is None
