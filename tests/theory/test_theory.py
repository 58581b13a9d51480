"""Every statement of the notes is run, its verdict held to what is known, and seen to flip."""

import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.theory.breakages import BREAKS, break_it
from thetahat.errors import ThetaHatError
from thetahat.report.theory import render
from thetahat.results.theory import StatementRecord, Words, encode
from thetahat.theory import registry
from thetahat.theory.evidence import above, below, near, verdict_of
from thetahat.theory.index import markdown
from thetahat.theory.statement import examine

ALL = [pytest.param(chapter.number, each, id=each.name) for chapter, each in registry.statements()]
NAMES = [each.name for _, each in registry.statements()]
SECTIONS = (
    "2.1",
    "2.2",
    "2.3",
    "2.4",
    "2.5",
    "2.6",
    "2.7",
    "2.8",
    "2.9",
    "2.10",
    "3.1",
    "3.2",
    "3.3",
    "3.4",
    "3.5",
)
SAID = Words("a number", "число")


@pytest.mark.parametrize(("section", "each"), ALL)
def test_verdict_is_the_known_one(section, each):
    found = examine(each, section)
    assert found.verdict == each.expected, [m for m in found.measures]
    assert found.plot.series
    assert all(s.x for s in found.plot.series)
    assert found == msgspec.json.decode(msgspec.json.encode(found), type=StatementRecord)


@pytest.mark.parametrize(("section", "each"), ALL)
def test_verdict_flips_when_the_function_under_it_is_broken(section, each, monkeypatch):
    break_it(monkeypatch, each.rests_on, BREAKS[each.name])
    try:
        found = examine(each, section).verdict
    except ThetaHatError:
        return
    assert found != each.expected


@pytest.mark.parametrize(("section", "each"), ALL)
def test_the_calls_of_a_program_run(section, each, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(each.calls, each.name, "exec"), {})
    assert "import" in each.calls


def test_every_statement_says_what_to_break():
    assert sorted(BREAKS) == sorted(NAMES)


def test_names_are_unique_and_can_be_typed():
    assert len(set(NAMES)) == len(NAMES)
    assert all(re.fullmatch(r"[a-z0-9-]{3,26}", name) for name in NAMES)


def test_both_languages_say_something_of_their_own():
    for _, each in registry.statements():
        for words in (each.title, each.claim, each.remark):
            assert re.search("[а-яё]", words.ru), each.name
            assert not re.search("[а-яё]", words.en), each.name


def test_a_counter_example_makes_a_condition_and_a_miss_a_failure():
    good, bad = near(SAID, 1.0, 1.0), near(SAID, 2.0, 1.0, 0.1)
    counter = near(SAID, 2.0, 1.0, 0.1, counter=True)
    assert verdict_of([good]) == "holds"
    assert verdict_of([good, counter]) == "holds only if"
    assert verdict_of([bad, counter]) == "fails"


def test_an_inequality_needs_four_errors_and_so_does_a_counter_example_to_it():
    assert above(SAID, 1.5, 1.0, 0.1).agrees
    assert not above(SAID, 1.3, 1.0, 0.1).agrees
    assert above(SAID, 0.7, 1.0, 0.1, counter=True).agrees
    assert not below(SAID, 1.5, 1.0, 0.1, counter=True).agrees
    assert below(SAID, 1.3, 1.0, 0.1, counter=True).agrees


def test_what_is_not_finite_agrees_with_nothing_but_infinity():
    assert not near(SAID, float("nan"), 0.0).agrees
    assert above(SAID, float("inf"), 1.0).agrees
    assert above(SAID, float("inf"), 1.0).said == "inf"


def test_a_statement_finds_the_same_alone_and_among_others():
    alone = registry.examine_all(["consistency"]).chapters[0].statements[0]
    other = registry.examine_all(["first-example", "consistency"]).chapters[0].statements[0]
    assert alone.measures == other.measures
    assert examine(registry.find("consistency")[1], "2.5", seed=1).measures != alone.measures


def test_the_page_shows_every_statement_in_either_language():
    record = registry.examine_all(["consistency", "first-example"], command="thetahat theory consistency")
    for language in ("en", "ru"):
        page = render(record, language)
        for each in record.chapters[0].statements:
            assert each.title.of(language) in page
            assert f'id="{each.name}"' in page
        assert "<script" not in page
        assert f'lang="{language}"' in page
    assert json.loads(encode(record))["kind"] == "theory"


def run(*words):
    return subprocess.run(
        [sys.executable, "-m", "thetahat", "theory", *words], capture_output=True, text=True, timeout=300
    )


def test_the_command_lists_every_statement():
    said = run("--lang", "ru")
    assert said.returncode == 0
    assert all(name in said.stdout for name in NAMES)


def test_the_command_runs_one_in_russian_and_saves_it(tmp_path):
    said = run(
        "consistency",
        "--lang",
        "ru",
        "--json",
        str(tmp_path / "a.json"),
        "--report",
        str(tmp_path / "a.html"),
    )
    assert said.returncode == 0, said.stderr
    assert "верно" in said.stdout
    assert json.loads((tmp_path / "a.json").read_text())["chapters"][0]["number"] == "2.5"
    assert "Состоятельность" in (tmp_path / "a.html").read_text()


def test_an_unknown_statement_is_named_with_the_nearest_known_one():
    said = run("consistancy")
    assert said.returncode == 2
    assert "consistency" in said.stderr


def test_a_page_of_nothing_is_refused():
    said = run("--report", "x.html")
    assert said.returncode == 2
    assert "--all" in said.stderr


def test_every_slip_points_at_a_statement():
    assert {slip.statement for slip in registry.ERRATA} <= set(NAMES)


def test_every_section_of_the_notes_has_statements():
    assert set(SECTIONS) <= {chapter.number for chapter in registry.CHAPTERS}


def test_the_index_in_the_docs_is_that_of_the_registry():
    page = (Path(__file__).parents[2] / "docs" / "theory.md").read_text(encoding="utf-8")
    assert page.endswith(markdown()), "write the end of docs/theory.md again from thetahat.theory.index"
