"""The page of measures says of each what the registry says."""

import importlib
import re
import sys
from types import MappingProxyType

import numpy as np
import pytest

from tests.documentation.agreement import disagreement
from tests.documentation.blocks import ROOT, run
from tests.documentation.files import write_tables
from thetahat.contracts import Prediction
from thetahat.measures import registry
from thetahat.measures.measure import MissingPrediction, Target
from thetahat.measures.registry import MEASURES

PAGE = (ROOT / "docs" / "reference" / "measures.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in PAGE.splitlines()
    if line.startswith("| `")
]
NAMES = {re.split(r"[:\[]", row[0].strip("`"))[0]: row for row in ROWS if len(row) == 6}
FORMULAS = {row[0].strip("`"): row for row in ROWS if len(row) == 5}
SCALES = {"identity": "own scale", "logit": "logit", "fisher": "Fisher", "complement": "−log(1 − R²)"}


def made(name):
    entry = MEASURES[name]
    if entry.task == "regression":
        return entry.make(Target("regression"), "0.9" if name == "pinball" else "")
    return entry.make(Target("classification", ("no", "yes"), 1, np.array([[0.0, 1.0], [5.0, 0.0]])), "")


def number(value):
    return "∞" if value == np.inf else "−∞" if value == -np.inf else f"{value:g}".replace("-", "−")


def test_every_measure_has_its_two_lines_in_the_order_of_the_registry():
    assert list(NAMES) == list(MEASURES)
    assert list(FORMULAS) == list(MEASURES)


@pytest.mark.parametrize("name", MEASURES)
def test_the_names_direction_range_and_unit_of_a_measure_are_those_of_the_registry(name):
    entry, measure = MEASURES[name], made(name)
    typed, others, shown_as, better, bounds, unit = NAMES[name]
    assert typed.strip("`") == (entry.form or name)
    assert re.findall("`(.*?)`", others) == [each.partition(":")[0] for each in entry.others]
    assert shown_as == measure.shown_as.replace(".9", "Q")
    assert better == ("higher" if measure.higher_is_better else "lower")
    expected = " to ".join(map(number, measure.bounds))
    assert bounds == ("least to largest cost" if name == "cost" else expected)
    assert unit == measure.unit


@pytest.mark.parametrize("name", MEASURES)
def test_the_kind_and_the_scale_of_a_measure_are_those_of_the_registry(name):
    measure = made(name)
    _, _, _, of, scale = FORMULAS[name]
    assert of == ("each row" if measure.losses is not None else "the set")
    assert scale == SCALES[measure.scale] + (", then the root" if measure.root else "")


@pytest.mark.parametrize("name", [name for name, entry in MEASURES.items() if entry.task == "classification"])
def test_a_measure_of_classes_needs_what_its_line_says(name):
    y, needs = np.array([0, 1, 1, 0]), FORMULAS[name][2]
    labels, belief = np.array([0, 1, 0, 0]), np.array([[0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.9, 0.1]])

    def lacks(prediction):
        try:
            made(name).of(y, prediction)
        except MissingPrediction:
            return True
        return False

    assert lacks(Prediction(labels)) == (not needs.startswith("labels"))
    assert lacks(Prediction(labels, score=belief)) == (needs == "probabilities")
    assert not lacks(Prediction(labels, probability=belief))


def test_the_measure_of_the_how_to_page_is_one_file_and_one_line(tmp_path, monkeypatch):
    page = (ROOT / "docs" / "howto" / "own-measure.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(python|console)\n(.*?)```", page, re.DOTALL)
    source = next(text for _, text in blocks if text.startswith('"""The Tweedie'))
    line = next(text for _, text in blocks if "import Entry" in text)
    shown = next(text for _, text in blocks if "-s tweedie" in text)
    write_tables(tmp_path)
    (tmp_path / "tweedie.py").write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "thetahat.measures.tweedie", importlib.import_module("tweedie"))
    entry = eval(line.splitlines()[-1], {"Entry": registry.Entry})
    known = {name: (entry, "") for name in (entry.name, *entry.others)}
    monkeypatch.setattr(registry, "MEASURES", MappingProxyType({**MEASURES, entry.name: entry}))
    monkeypatch.setattr(registry, "_NAMES", MappingProxyType({**registry._NAMES, **known}))
    command, _, quoted = shown.removeprefix("$ ").partition("\n")
    status, printed = run(command)
    assert status == 0, printed
    assert disagreement(quoted, printed) is None
