"""A regression on a table: from its columns to the coefficient table, to a file, and to predictions."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from thetahat.errors import Code, DataError, Problem, ThetaHatWarning, UsageError
from thetahat.estimation.prediction import in_place, warn_of
from thetahat.likelihood.result import LikelihoodResult
from thetahat.linear.classifiers import LogisticRegression
from thetahat.linear.designs import DesignColumn, TableDesign
from thetahat.linear.formula import regress
from thetahat.linear.prediction import predict_interval
from thetahat.linear.regressors import LinearRegression, PoissonRegression
from thetahat.linear.stored import DESCRIBED
from thetahat.results.stored import Kind, check_names, read_object, record, write_object
from thetahat.tables import read
from thetahat.tables.identifiers import identifier_note, names_rows
from thetahat.tables.kinds import asked_kinds, with_kinds
from thetahat.tables.phrases import counted, option, rows_named, shown, unseen_levels

__all__ = ["TableFit", "fit_table", "load_fit", "predict_table"]

DESIGN = "design.json"


@dataclass(frozen=True, slots=True, eq=False)
class TableFit:
    """A regression on a table.

    Parameters
    ----------
    formula : str
        What was fitted, as a formula.
    model : LinearRegression, LogisticRegression or PoissonRegression
        The fitted model.
    design : TableDesign or None
        How a table's columns become the model's; None for a formula, which only its own session can apply.
    result : LikelihoodResult
        The coefficient table, with the names of the design.
    left_out : int
        Rows with a missing value, not used.
    notes : tuple of str
        What was done to the table before the fit.
    """

    formula: str
    model: LinearRegression | LogisticRegression | PoissonRegression
    design: TableDesign | None
    result: LikelihoodResult
    left_out: int
    notes: tuple[str, ...] = ()

    def summary(self, level: float = 0.95) -> str:
        """Return the coefficient table as text, with the reference levels and what was left out."""
        lines = [self.formula]
        if self.design is not None and self.design.references:
            against = ", ".join(f"{name} against {of!r}" for name, of in self.design.references.items())
            lines.append(f"Categories: {against}")
        if self.left_out:
            lines.append(_left_out(self.left_out))
        lines += self.notes
        return "\n".join([*lines, self.result.summary(level)])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model and its design to a file; nothing in it is code.

        Raises
        ------
        UsageError
            The fit is of a formula, or the file cannot be written.
        """
        if self.design is None:
            raise UsageError(
                "save: a formula is code, and a saved model holds none; fit columns with --model linear, "
                "logistic or poisson instead"
            )
        write_object(path, self, TABLE_KINDS)


def _take(fit: TableFit) -> dict[str, Any]:
    held = {name: getattr(fit, name) for name in ("formula", "model", "design", "left_out", "notes")}
    return held | {"errors": fit.result.errors}


def _make(parts: dict[str, Any]) -> TableFit:
    model, design = parts["model"], parts["design"]
    widths = [(c.name, 1 if c.levels is None else len(c.levels) - 1) for c in design.columns]
    check_names(widths, model.n_features_in_)
    if sum(width for _, width in widths) != model.n_features_in_:
        raise ValueError("its columns are not those of its model")
    result = model.result_.with_errors(parts["errors"])
    return TableFit(parts["formula"], model, design, result, parts["left_out"], tuple(parts.get("notes", ())))


TABLE_KINDS = (*DESCRIBED, record(DesignColumn), record(TableDesign), Kind(TableFit, _take, _make))


def fit_table(
    data: Any,
    target: str | None = None,
    model: str = "linear",
    *,
    drop: Collection[str] = (),
    errors: Literal["observed", "expected", "HC0", "HC1", "HC2", "HC3"] = "observed",
    missing_target: Literal["drop", "error"] = "drop",
    kinds: Any = None,
    sep: str | None = None,
    encoding: str | None = None,
    na_values: Collection[str] | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
) -> TableFit:
    """Fit a regression to a table by maximum likelihood.

    Parameters
    ----------
    data : path or frame
        As for ``compare``.
    target : str, optional
        The column on the left; a formula names it itself.
    model : str
        ``linear``, ``logistic`` or ``poisson`` on all other columns, or a formula ``"y ~ a + C(b)"``. A
        formula may call functions: take it from people you trust.
    drop : collection of str
        Columns to leave out.
    errors : str
        Kind of the standard errors.
    missing_target : {"drop", "error"}
        Whether rows without a target are left out, as all rows with a missing value are, or refused.
    kinds : mapping, optional
        The kind of a column, as for ``compare``. An ordinal enters as its codes 0, 1, 2, …
    sep, encoding, na_values, decimal, thousands
        How to read a text file.

    Raises
    ------
    DataError
        The table cannot be used.
    UsageError
        An argument cannot be meant.
    """
    table = read(data, sep=sep, encoding=encoding, na_values=na_values, decimal=decimal, thousands=thousands)
    asked = asked_kinds(kinds)
    orders = {name: kind.levels for name, kind in asked.items() if kind.levels and name != target}
    coded = with_kinds(table, asked, target).frame
    # The design codes ordinals itself, so that a saved fit can do so again.
    labels = [table.frame.get_column(name) for name in orders if name in table.frame.columns]
    frame = coded if "~" in model else coded.with_columns(labels)
    if "~" in model:
        return _by_formula(frame, model, target, errors, missing_target)
    if model not in ("linear", "logistic", "poisson"):
        raise UsageError(f"model: choose linear, logistic, poisson or a formula 'y ~ x', not {model!r}")
    if target is None:
        raise UsageError("target: name the column to explain, or give a formula 'y ~ x' as the model")
    wrong = [name for name in (target, *drop) if name not in frame.columns]
    if wrong:
        known = ", ".join(map(repr, frame.columns[:12]))
        raise DataError(
            [
                Problem(
                    Code.NO_TARGET, "there is no such column", f"column {wrong[0]!r}", f"Choose from {known}"
                )
            ]
        )
    notes = _without_target(frame, target, missing_target)
    names, named = _predictors(frame, target, drop, asked)
    notes += named
    kept, left_out = _complete(frame, [target, *names])
    design = TableDesign.of(kept, names, orders)
    y = kept.get_column(target)
    if model != "logistic" and not y.dtype.is_numeric():
        raise UsageError(
            f"target: {target} holds {y.dtype}; a {model} model needs numbers, logistic takes classes"
        )
    learner: Any = LinearRegression()
    if model != "linear":
        learner = PoissonRegression(alpha=0) if model == "poisson" else LogisticRegression(C=np.inf)
    with warnings.catch_warnings():
        # The first lines of the table say the same.
        warnings.simplefilter("ignore", ThetaHatWarning)
        learner.fit(_rows(design, kept), y.to_numpy())
    formula = f"{target} ~ {' + '.join(names)}"
    return TableFit(formula, learner, design, learner.result_.with_errors(errors), left_out, notes)


def _by_formula(
    frame: pl.DataFrame, formula: str, target: str | None, errors: Any, missing_target: str
) -> TableFit:
    from formulaic import Formula  # noqa: PLC0415
    from formulaic.errors import FormulaicError  # noqa: PLC0415

    try:
        used = sorted(map(str, Formula(formula).required_variables))
    except FormulaicError as error:
        raise UsageError(f"formula: {str(error).splitlines()[0]}") from None
    left = formula.partition("~")[0].strip()
    if target is not None and left and target != left.strip("`"):
        raise UsageError(f"target: {target} is not the left side of the formula {formula!r}")
    if not left:
        if target is None:
            raise UsageError("target: the formula has no left side; name the column to explain")
        formula, used = f"`{target}` {formula.strip()}", [target, *used]
    explained = left.strip("`") or target or ""
    notes = _without_target(frame, explained, missing_target) if explained in frame.columns else ()
    kept, left_out = _complete(frame, [name for name in used if name in frame.columns])
    found = regress(formula, kept)
    return TableFit(found.formula, found.model, None, found.result.with_errors(errors), left_out, notes)


def _left_out(rows: int) -> str:
    was = "row with a missing value was" if rows == 1 else "rows with a missing value were"
    return f"{rows} {was} left out"


def _without_target(frame: pl.DataFrame, target: str, missing_target: str) -> tuple[str, ...]:
    """Say how many rows have no target, or refuse them as asked."""
    if missing_target not in ("drop", "error"):
        raise UsageError(f"missing_target: choose drop or error, not {missing_target!r}")
    column = frame.get_column(target)
    rows = column.is_null().arg_true().to_list()
    if not rows:
        return ()
    place = f"target {shown(target)}"
    if len(rows) == frame.height:
        raise DataError([Problem(Code.NOT_FINITE, "every value is missing", place, "Name another column")])
    if missing_target == "error":
        cause = f"{counted(len(rows), 'value is', 'values are')} missing, in {rows_named(rows)}"
        cure = f"Fill the cells, or leave the rows out: {option('missing_target', 'drop')}"
        raise DataError([Problem(Code.NOT_FINITE, cause, place, cure)])
    return (
        f"Of these, {len(rows)} {'row has' if len(rows) == 1 else 'rows have'} no target and "
        f"{'was' if len(rows) == 1 else 'were'} left out",
    )


def _predictors(
    frame: pl.DataFrame, target: str, drop: Collection[str], asked: Collection[str]
) -> tuple[list[str], tuple[str, ...]]:
    """Return the columns to explain the target by, and what is said of those that only name the rows."""
    known = frame.filter(frame.get_column(target).is_not_null())
    names = [name for name in frame.columns if name != target and name not in drop]
    identifiers = [name for name in names if name not in asked and names_rows(known.get_column(name))]
    notes = tuple(identifier_note(name, known.get_column(name).dtype == pl.String) for name in identifiers)
    left = [name for name in names if name not in identifiers]
    if not left:
        cause = "no column is left to explain the target by"
        cure = " ".join(notes) or "Drop fewer columns"
        raise DataError([Problem(Code.NO_TABLE, cause, "the table", cure)])
    return left, notes


def _complete(frame: pl.DataFrame, names: Sequence[str]) -> tuple[pl.DataFrame, int]:
    kept = frame.drop_nulls(list(names))
    if not kept.height:
        raise DataError(
            [
                Problem(
                    Code.TOO_FEW_ROWS,
                    "no row is complete",
                    "the table",
                    "Drop the columns that are mostly missing",
                )
            ]
        )
    return kept, frame.height - kept.height


def _rows(design: TableDesign, frame: Any, unseen: Counter[tuple[str, str]] | None = None) -> pl.DataFrame:
    """Return the design's rows under the design's names, so that messages can name them."""
    return pl.DataFrame(design.matrix(frame, unseen), schema=design.names)


def load_fit(path: str | os.PathLike[str]) -> TableFit:
    """Read a fit that :meth:`TableFit.save` wrote.

    Raises
    ------
    ResultFileError
        The file is not such a fit, or is damaged.
    """
    found: TableFit = read_object(path, TABLE_KINDS, TableFit)
    return found


def predict_table(
    fit: TableFit,
    data: Any,
    level: float = 0.95,
    *,
    sep: str | None = None,
    encoding: str | None = None,
    na_values: Collection[str] | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
) -> pl.DataFrame:
    """Predict the rows of a table, with intervals where there are any.

    Parameters
    ----------
    fit : TableFit
        Of columns, not of a formula.
    data : path or frame
        With the columns of the fit.
    level : float
        Of the intervals.
    sep, encoding, na_values, decimal, thousands
        How to read a text file.

    Returns
    -------
    polars.DataFrame
        ``prediction``, and ``low`` and ``high`` of the mean (for two classes: of the probability of the
        second); for numbers also ``new_low`` and ``new_high`` of a new observation; for classes the
        probability of each. Null in a row with a missing value, and in one with a level that the fit has not
        seen, of which a warning tells.

    Raises
    ------
    UsageError
        The table lacks a column.
    """
    if fit.design is None:
        raise UsageError("fit: of a formula, which only its own session can apply")
    frame = read(
        data, sep=sep, encoding=encoding, na_values=na_values, decimal=decimal, thousands=thousands
    ).frame
    unseen: Counter[tuple[str, str]] = Counter()
    X = _rows(fit.design, frame, unseen)
    warn_of(unseen_levels(unseen, {c.name: c.levels or c.order or () for c in fit.design.columns}))
    whole = np.isfinite(X.to_numpy()).all(axis=1)
    # Without a whole row a row of zeros stands in, whose prediction is then left out.
    model, rows = fit.model, X.filter(whole) if whole.any() else X.head(1).select(pl.all().fill_nan(0.0))
    columns: dict[str, Any] = {"prediction": model.predict(rows)}
    if isinstance(model, LogisticRegression):
        for label, p in zip(model.classes_, model.predict_proba(rows).T, strict=True):
            columns[f"probability[{label}]"] = p
    if not (isinstance(model, LogisticRegression) and len(model.classes_) > 2):
        mean = predict_interval(model, rows, level)
        columns |= {"low": mean.low, "high": mean.high}
    if isinstance(model, LinearRegression):
        new = predict_interval(model, rows, level, of="observation")
        columns |= {"new_low": new.low, "new_high": new.high}
    return in_place(pl.DataFrame({name: np.asarray(v).tolist() for name, v in columns.items()}), whole)
