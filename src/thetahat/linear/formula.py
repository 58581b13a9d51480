"""Regression by a formula: columns of a table, their codes and interactions, in one line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray
from thetahat.errors import UsageError
from thetahat.likelihood.result import LikelihoodResult
from thetahat.linear.classifiers import LogisticRegression
from thetahat.linear.regressors import LinearRegression, PoissonRegression

__all__ = ["Regression", "regress"]

INTERCEPT = "Intercept"

FamilyName = Literal["normal", "bernoulli", "categorical", "poisson"]


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """A regression by a formula, by maximum likelihood.

    Parameters
    ----------
    formula : str
        As it was given.
    model : LinearRegression, LogisticRegression or PoissonRegression
        The fit to the design's columns.
    columns : tuple of str
        The columns of the design.
    references : dict of str to str
        The level of each category that the others are compared with.
    spec : object
        How rows of a table become rows of the design.
    result : LikelihoodResult
        The coefficient table.
    """

    formula: str
    model: LinearRegression | LogisticRegression | PoissonRegression
    columns: tuple[str, ...]
    references: dict[str, str]
    spec: Any
    result: LikelihoodResult

    def design(self, frame: Any) -> FloatArray:
        """Return the design's rows for the rows of a table, levels and columns as in the fit."""
        return _without_ones(self.spec.get_model_matrix(frame), self.columns)

    def predict(self, frame: Any) -> NDArray[Any]:
        """Predict the rows of a table: means, or the likeliest classes."""
        return self.model.predict(self.design(frame))

    def summary(self, level: float = 0.95) -> str:
        """Return the coefficient table as text, with the formula and the reference levels."""
        lines = [self.formula]
        if self.references:
            against = ", ".join(f"{name} against {level!r}" for name, level in self.references.items())
            lines.append(f"Categories: {against}")
        return "\n".join([*lines, self.result.summary(level)])

    def _repr_html_(self) -> str:
        return self.result._repr_html_()


def regress(formula: str, frame: Any, family: FamilyName | None = None) -> Regression:
    """Fit a regression by a formula, by maximum likelihood.

    Parameters
    ----------
    formula : str
        ``"y ~ x + C(group) + x:z"``, in the language of formulaic. It may call functions, so take formulas
        from people you trust.
    frame : pandas or polars frame
        The table. Rows with a missing value in a column that is used are an error, not dropped.
    family : {"normal", "bernoulli", "categorical", "poisson"}, optional
        Of y given x. By default normal for numbers, Bernoulli or categorical for text and truth values.

    Returns
    -------
    Regression
        With ``result``, ``summary()`` and ``predict(frame)``.

    Raises
    ------
    UsageError
        The formula cannot be read, names a column that is not there, or has no single left side; there are
        missing values; or the family does not suit the left side.
    """
    # formulaic brings pandas and takes most of a second to import: only who asks for a formula waits for it.
    from formulaic import Formula  # noqa: PLC0415
    from formulaic.errors import FormulaicError  # noqa: PLC0415

    try:
        parsed = Formula(formula)
        left = [str(term) for term in parsed.lhs] if hasattr(parsed, "lhs") else []
        if len(left) != 1:
            raise UsageError(f"formula: needs one column on the left of ~, as in 'y ~ x': {formula!r}")
        matrix = parsed.rhs.get_model_matrix(frame, na_action="raise")
        y = _left_side(left[0], frame)
    except (FormulaicError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"formula: {str(error).splitlines()[0]}") from None
    spec = matrix.model_spec
    names = tuple(map(str, spec.column_names))
    model = _model(family, y, INTERCEPT in names)
    X = _without_ones(matrix, names)
    holed = [name for name, column in zip(_slopes(names), X.T, strict=True) if not np.isfinite(column).all()]
    if holed:
        raise UsageError(f"formula: missing values or infinities in {', '.join(holed)}; mend those rows")
    model.fit(X, y)
    references = {
        str(factor): str(contrast.levels[0])
        for factor, contrast in spec.factor_contrasts.items()
        if any(f"{factor}[T." in name for name in names)
    }
    return Regression(formula, model, names, references, spec, _named(model, names))


def _left_side(term: str, frame: Any) -> NDArray[Any]:
    from formulaic import Formula  # noqa: PLC0415

    table = nw.from_native(frame, eager_only=True)
    if term in table.columns:
        column = table[term]
        if column.null_count() or (column.dtype.is_float() and column.is_nan().any()):
            raise UsageError(f"formula: {term} has missing values; drop those rows or fill them in")
        return np.asarray(column.to_numpy())
    made = np.asarray(Formula(f"0 + {term}").get_model_matrix(frame, na_action="raise"), dtype=np.float64)
    if made.shape[1] != 1:
        raise UsageError(f"formula: the left side {term} makes {made.shape[1]} columns; one is needed")
    return made[:, 0]


def _model(
    family: FamilyName | None, y: NDArray[Any], intercept: bool
) -> LinearRegression | LogisticRegression | PoissonRegression:
    numbers = y.dtype.kind in "fiu"
    levels = len(np.unique(y)) if family != "normal" and (not numbers or family is not None) else 0
    if family is None:
        family = "normal" if numbers else "bernoulli" if levels == 2 else "categorical"
    if family not in ("normal", "bernoulli", "categorical", "poisson"):
        raise UsageError(f"family: must be normal, bernoulli, categorical or poisson, not {family!r}")
    if family in ("normal", "poisson") and not numbers:
        raise UsageError(f"family: {family} needs numbers on the left of ~; use bernoulli or categorical")
    if family == "bernoulli" and levels != 2:
        raise UsageError(f"family: bernoulli needs two classes on the left of ~, not {levels}")
    if family == "normal":
        return LinearRegression(fit_intercept=intercept)
    if family == "poisson":
        return PoissonRegression(alpha=0, fit_intercept=intercept)
    return LogisticRegression(C=np.inf, fit_intercept=intercept)


def _slopes(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name != INTERCEPT]


def _without_ones(matrix: Any, names: tuple[str, ...]) -> FloatArray:
    kept = [place for place, name in enumerate(names) if name != INTERCEPT]
    if not kept:
        raise UsageError("formula: needs a column on the right of ~ besides the intercept")
    return np.asarray(matrix, dtype=np.float64)[:, kept]


def _named(model: Any, names: tuple[str, ...]) -> LikelihoodResult:
    columns = _slopes(names)
    shown = ["intercept", *columns] if model.fit_intercept else columns
    classes = getattr(model, "classes_", ())
    if len(classes) > 2:
        shown = [f"{label}: {name}" for label in classes[1:] for name in shown]
    record: LikelihoodResult = model.result_
    return replace(record, names=tuple(shown))
