"""Columns that give the target away: as sums, under another coding, by being missing; and honest ones."""

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

import thetahat as th
from thetahat.comparison.checks import examine
from thetahat.tables import read

RNG = np.random.default_rng(0)
N = 400
A, B, C = RNG.normal(size=(3, N))
# Every one of them is closer to a + b than a and b are.
DECOYS = {f"j{k}": A + B + 0.5 * RNG.normal(size=N) for k in range(20)}
SOME = RNG.random(N) < 0.4


def warned(frame, target="y"):
    problems = examine(read(frame), target).problems
    return [p for p in problems if p.code == "TH110" and p.severity.value == "warning"]


def table(y, **columns):
    return pl.DataFrame({**DECOYS, "a": A, "b": B, "c": C, **columns, "y": y})


@pytest.mark.parametrize(
    ("y", "formula"),
    [
        (A + B, "a + b = y"),
        (A - B, "a − b = y"),
        (A + B - 2 * C, "a + b − 2 c = y"),
        ((3 * A + 7 * B).round(2), "3 a + 7 b = y"),
        (1e9 + 1000 * A + 1000 * C, "1000 a + 1000 c + 1e+09 = y"),
    ],
)
def test_columns_that_add_up_to_the_target_are_named_with_the_formula(y, formula):
    (problem,) = warned(table(y))
    assert formula in problem.cause


def test_a_part_left_by_a_total_is_named():
    (problem,) = warned(table(B, total=A + B).drop("b"))
    assert "−a + total = y" in problem.cause


def test_counts_with_missing_cells_that_add_up_to_classes_are_named():
    p, q = RNG.poisson(3, N), RNG.poisson(4, N)
    cells = [None if u < 0.1 else int(x) for u, x in zip(RNG.random(N), p, strict=True)]
    (problem,) = warned(pl.DataFrame({"p": cells, "q": q, "w": A, "y": np.minimum(p + q, 30)}))
    assert "p + q = y" in problem.cause


def test_a_sum_with_noise_is_no_leak():
    assert warned(table(A + B + 0.01 * RNG.normal(size=N))) == []


def test_another_coding_of_the_classes_is_named():
    color = RNG.choice(["red", "green", "blue"], N)
    code = [{"red": 1, "green": 2, "blue": 3}[each] for each in color]
    (problem,) = warned(pl.DataFrame({"a": A, "code": code, "y": color}))
    assert "one to one, '3' for 'blue'" in problem.cause


@pytest.mark.parametrize("sign", [1, -1])
def test_a_monotone_transform_of_a_number_is_named(sign):
    (problem,) = warned(pl.DataFrame({"a": A, "l": sign * B**3, "y": np.exp(B)}))
    assert "as a transform of it" in problem.cause


@pytest.mark.parametrize("slips", [0.0, 0.02])
@pytest.mark.parametrize("y", [np.where(SOME, "dead", "alive"), np.where(SOME, np.exp(A), 0.0)])
def test_a_column_that_is_missing_in_a_class_is_named(y, slips):
    filled = SOME ^ (RNG.random(N) < slips)
    cells = [float(x) if there else None for x, there in zip(C, filled, strict=True)]
    (problem,) = warned(pl.DataFrame({"a": B, "when": cells, "y": y}))
    assert "column 'when'" in problem.place
    assert "known only afterwards" in problem.cause


def test_missing_at_random_is_no_leak():
    cells = [float(x) if u < 0.5 else None for x, u in zip(C, RNG.random(N), strict=True)]
    assert warned(pl.DataFrame({"a": B, "m": cells, "y": np.where(SOME, "dead", "alive")})) == []


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_diabetes])
def test_measured_tables_have_no_leak(load):
    assert warned(load(as_frame=True).frame, "target") == []


def test_a_leak_is_the_first_warning_even_of_few_rows():
    record = th.compare(table(A + B)[:60], "y", ["linear"], tune="none", resampling="cv:3").record
    assert [w.code for w in record.warnings][:2] == ["TH110", ""]
