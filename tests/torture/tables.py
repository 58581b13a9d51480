"""Tables that should not be, drawn by hypothesis as a few small words each, so that one can be made again."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from numpy.random import Generator
from scipy import sparse

__all__ = ["Case", "Table", "build", "cases", "draw"]

ROWS = (0, 1, 2, 3, 5, 8, 13, 40)
COLUMNS = (0, 1, 2, 3, 5, 12, 50)
DTYPES = (
    "float64",
    "float64",
    "float32",
    "float16",
    "int8",
    "int64",
    "uint64",
    "bool",
    "object",
    "str",
    "complex",
)
CELLS = (
    "nan",
    "inf",
    "-inf",
    "1e300",
    "-1e308",
    "1e-300",
    "denormal",
    "2**62",
    "text",
    "none",
    "all denormal",
    "all 1e300",
    "all 1e-300",
    "all 1e150",
    "all zero",
    "constant",
    "duplicate",
    "collinear",
    "nearly collinear",
    "mixed scales",
    "far from zero",
    "heavy tail",
)
LAYOUTS = (
    "C",
    "C",
    "F",
    "strided",
    "reversed",
    "read-only",
    "list",
    "csr",
    "csc",
    "csr with int64 indices",
    "pandas",
    "polars",
    "pandas with numbers for names",
    "column twice",
    "1d",
    "3d",
    "0d",
)
TARGETS = (
    "usual",
    "usual",
    "noise",
    "one row of a class",
    "one class",
    "three classes",
    "a class a row",
    "text",
    "truth values",
    "counts",
    "2**62",
    "1e300",
    "1e-300",
    "constant",
    "zero",
    "exact",
    "nan",
    "inf",
    "none",
    "missing",
    "too short",
    "column",
    "two columns",
    "no columns",
    "float32",
    "dates",
)
WEIGHTS = (
    "no",
    "no",
    "no",
    "ones",
    "zeros",
    "one row",
    "negative",
    "nan",
    "inf",
    "1e300",
    "1e-300",
    "too many",
    "mixed",
)


@dataclass(frozen=True, slots=True)
class Case:
    """Whom to give what: every field is a word or a small number, and everything else follows from them."""

    subject: str
    rows: int = 8
    columns: int = 2
    dtype: str = "float64"
    cells: tuple[str, ...] = ()
    layout: str = "C"
    target: str = "usual"
    weight: str = "no"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """What a case gives: X as it is handed over and as float64 (None if it has no such form), y, weight."""

    X: Any
    y: Any
    weight: Any
    dense: Any


def cases(subjects: tuple[str, ...]) -> st.SearchStrategy[Case]:
    """Return the cases of these subjects, simple words first: a failing one shrinks to what matters."""
    # Most tables have one thing wrong: where two have, the first to be found hides the other.
    return st.builds(
        Case,
        subject=st.sampled_from(subjects),
        rows=st.sampled_from((8, 40, 13, *ROWS)),
        columns=st.sampled_from((2, 3, *COLUMNS)),
        dtype=st.one_of(st.just("float64"), st.just("float64"), st.sampled_from(DTYPES)),
        cells=st.one_of(
            st.just(()),
            st.tuples(st.sampled_from(CELLS)),
            st.tuples(st.sampled_from(CELLS)),
            st.tuples(st.sampled_from(CELLS), st.sampled_from(CELLS)),
        ),
        layout=st.one_of(st.just("C"), st.just("C"), st.sampled_from(LAYOUTS)),
        target=st.one_of(st.just("usual"), st.just("usual"), st.sampled_from(TARGETS)),
        weight=st.one_of(st.just("no"), st.just("no"), st.sampled_from(WEIGHTS)),
        # Not `integers`: that strategy mixes in constants of whichever modules are loaded, so that the cases
        # drawn would depend on the tests that ran before.
        seed=st.sampled_from(range(10)),
    )


def draw(subjects: tuple[str, ...], count: int, rng: Generator) -> list[Case]:
    """Draw that many different cases."""
    found: list[Case] = []

    @seed(int(rng.integers(2**31)))
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(subjects))
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return found


def build(case: Case, classes: bool) -> Table:
    """Make the table of a case, for a learner of classes or of numbers."""
    rng = np.random.default_rng([case.seed, case.rows, case.columns])
    X = rng.standard_normal((case.rows, case.columns))
    score = X[:, : min(case.columns, 3)].sum(axis=1) + 0.5 * rng.standard_normal(case.rows)
    values: Any = X
    with np.errstate(all="ignore"):
        for cell in case.cells:
            values = _with_cell(values, cell, rng)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        values = _as_dtype(values, case.dtype)
        y = _target(case, score, X, classes, rng)
        handed, dense = _laid_out(values, case.layout)
    return Table(handed, y, _weight(case, rng), dense)


def _with_cell(  # noqa: C901 - one branch a word
    X: Any, cell: str, rng: Generator
) -> Any:
    n, d = X.shape
    if not X.size:
        return X
    i, j, k = int(rng.integers(n)), int(rng.integers(d)), int(rng.integers(d))
    X = X.copy()
    spots = {
        "nan": np.nan,
        "inf": np.inf,
        "-inf": -np.inf,
        "1e300": 1e300,
        "-1e308": -1e308,
        "1e-300": 1e-300,
        "denormal": 5e-324,
        "2**62": float(2**62),
    }
    wholes = {
        "all denormal": 1e-310,
        "all 1e300": 1e300,
        "all 1e-300": 1e-300,
        "all 1e150": 1e150,
        "all zero": 0.0,
    }
    if cell in spots:
        X[i, j] = spots[cell]
    elif cell in ("text", "none"):
        X = X.astype(object)
        X[i, j] = "two" if cell == "text" else None
    elif X.dtype == object:
        return X
    elif cell in wholes:
        X *= wholes[cell]
    elif cell == "constant":
        X[:, j] = 3.0
    elif cell == "duplicate":
        X[:, j] = X[:, k]
    elif cell == "collinear":
        X[:, j] = X.sum(axis=1) - X[:, j]
    elif cell == "nearly collinear":
        X[:, j] = X[:, k] + 1e-9 * rng.standard_normal(n)
    elif cell == "mixed scales":
        X *= 10.0 ** rng.integers(-12, 13, size=d)
    elif cell == "far from zero":
        X += 1e9
    elif cell == "heavy tail":
        X = np.sign(X) * np.exp(np.abs(X) * 8)
    return X


def _as_dtype(X: Any, dtype: str) -> Any:
    if X.dtype == object or dtype == "float64":
        return X
    if dtype in ("object", "str"):
        return X.astype(dtype)
    if dtype == "complex":
        return X.astype(complex) + 1j
    if dtype == "bool":
        return X > 0
    return np.nan_to_num(X * 10).astype(dtype) if dtype.startswith(("int", "uint")) else X.astype(dtype)


def _laid_out(X: Any, layout: str) -> tuple[Any, Any]:
    try:
        dense = np.asarray(X, dtype=np.float64)
    except (ValueError, TypeError):
        dense = None
    if layout == "1d":
        return X.ravel()[: len(X)], None
    if layout == "3d":
        return X[:, :, None], None
    if layout == "0d":
        return X.dtype.type(1) if X.dtype.kind in "fiub" else 1.0, None
    if layout == "column twice":
        wide = np.broadcast_to(X[:, :1], X.shape) if X.shape[1] else X
        return wide, None if dense is None else np.array(np.broadcast_to(dense[:, :1], dense.shape))
    if layout.startswith("cs"):
        if X.dtype.kind not in "fiub" or X.dtype == np.float16:
            return X, dense
        handed = sparse.csc_matrix(X) if layout == "csc" else sparse.csr_matrix(X)
        if layout == "csr with int64 indices":
            handed.indices, handed.indptr = handed.indices.astype(np.int64), handed.indptr.astype(np.int64)
        return handed, dense
    return _handed(X, layout), dense


def _handed(X: Any, layout: str) -> Any:
    if layout == "F":
        return np.asfortranarray(X)
    if layout == "strided":
        wide = np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)
        return wide[::2, ::2]
    if layout == "reversed":
        return np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1]
    if layout == "read-only":
        X = X.copy()
        X.flags.writeable = False
        return X
    if layout == "list":
        return X.tolist()
    if layout.startswith("pandas"):
        import pandas as pd

        names = [f"x{j}" for j in range(X.shape[1])]
        return pd.DataFrame(X, columns=list(range(len(names))) if layout.endswith("names") else names)
    if layout == "polars":
        import polars as pl

        return pl.DataFrame({f"x{j}": X[:, j].tolist() for j in range(X.shape[1])}, strict=False)
    return X


def _target(case: Case, score: Any, X: Any, classes: bool, rng: Generator) -> Any:
    n, target = case.rows, case.target
    two = (score > np.median(score)).astype(np.int64) if n else np.zeros(0, np.int64)
    usual = two if classes else score
    if target in ("usual", "too short", "column", "two columns", "no columns"):
        shapes = {
            "usual": usual,
            "too short": usual[:-1],
            "column": usual[:, None],
            "two columns": np.column_stack([usual, usual[::-1]]),
            "no columns": np.zeros((n, 0)),
        }
        return shapes[target]
    if target in ("nan", "inf"):
        y = usual.astype(np.float64)
        y[: 1 + n // 8] = np.nan if target == "nan" else np.inf
        return y
    made = {
        "noise": lambda: rng.integers(2, size=n) if classes else rng.standard_normal(n),
        "one row of a class": lambda: np.r_[1.0, np.zeros(max(n - 1, 0))][:n],
        "one class": lambda: np.ones(n, np.int64),
        "three classes": lambda: rng.integers(3, size=n),
        "a class a row": lambda: np.arange(n),
        "text": lambda: np.where(two > 0, "yes", "no"),
        "truth values": lambda: two > 0,
        "counts": lambda: rng.poisson(3.0, n),
        "2**62": lambda: two * 2**62,
        "1e300": lambda: score * 1e300,
        "1e-300": lambda: score * 1e-300,
        "constant": lambda: np.full(n, 2.5),
        "zero": lambda: np.zeros(n),
        "exact": lambda: X.sum(axis=1),
        "none": lambda: None,
        "missing": lambda: np.array([None, *usual[1:].tolist()][:n], dtype=object),
        "float32": lambda: usual.astype(np.float32),
        "dates": lambda: np.datetime64("2020-01-01") + two.astype("timedelta64[D]"),
    }
    return made[target]()


def _weight(case: Case, rng: Generator) -> Any:
    n = case.rows
    if case.weight == "no":
        return None
    weight = rng.uniform(0.5, 2.0, n)
    if case.weight in ("ones", "zeros"):
        return np.full(n, float(case.weight == "ones"))
    if case.weight in ("1e300", "1e-300"):
        return weight * float(case.weight)
    if case.weight == "too many":
        return np.ones(n + 1)
    if case.weight == "one row":
        return (np.arange(n) == 0).astype(float)
    if case.weight == "mixed":
        return rng.integers(0, 3, n).astype(float)
    if n:
        weight[0] = {"negative": -1.0, "nan": np.nan, "inf": np.inf}[case.weight]
    return weight


def simpler(case: Case) -> list[Case]:
    """Return the case with one thing less wrong, in every way."""
    usual = Case(case.subject)
    names = ("rows", "columns", "dtype", "cells", "layout", "target", "weight", "seed")
    fewer = [replace(case, cells=case.cells[:k] + case.cells[k + 1 :]) for k in range(len(case.cells))]
    return [
        each for each in [*fewer, *(replace(case, **{n: getattr(usual, n)}) for n in names)] if each != case
    ]
