"""What a maximum-likelihood fit says of itself: estimates with their errors, and how well they describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import linalg, special

from thetahat.contracts import FloatArray, Status
from thetahat.errors import UsageError
from thetahat.likelihood.plots import draw

__all__ = ["ErrorKind", "Hypothesis", "IntervalMethod", "LikelihoodResult"]

ErrorKind = Literal["observed", "expected", "HC0", "HC1", "HC2", "HC3", "clustered"]
IntervalMethod = Literal["wald", "profile", "bootstrap"]

KIND_WORDS: Mapping[str, str] = {
    "observed": "observed information",
    "expected": "expected information",
    "HC0": "heteroscedasticity-consistent (HC0)",
    "HC1": "heteroscedasticity-consistent (HC1)",
    "HC2": "heteroscedasticity-consistent (HC2)",
    "HC3": "heteroscedasticity-consistent (HC3)",
    "clustered": "clustered by group",
}


@dataclass(frozen=True, slots=True, eq=False)
class Hypothesis:
    """A linear combination, or several, of the parameters.

    Parameters
    ----------
    estimate, standard_error : ndarray of shape (q,)
        Of each combination.
    statistic : float
        Wald's χ², or F where the residual variance was estimated.
    freedom : tuple of float
        Degrees of freedom of the statistic.
    p : float
        Probability of a statistic as large when every combination is ``value``.
    """

    estimate: FloatArray
    standard_error: FloatArray
    statistic: float
    freedom: tuple[float, ...]
    p: float


@dataclass(frozen=True, eq=False)
class LikelihoodResult:
    """A fit with its errors.

    Parameters
    ----------
    title : str
        What was fitted, in words.
    names : sequence of str
        Name of each parameter, the intercept first.
    params : ndarray of shape (p,)
        Estimates.
    log_likelihood : float
        At the estimate.
    rows : float
        Number of rows, or the sum of their weights.
    status : Status
        How the work ended; unless it is SOLVED there are no standard errors.
    covariance_of : callable
        ``covariance_of(kind, groups)`` is the covariance matrix of the estimate.
    errors : str
        The kind of standard errors shown: see :meth:`with_errors`.
    groups : ndarray, optional
        Group of each row, for clustered errors.
    free : int, optional
        How many numbers were estimated, σ² included; by default one a parameter.
    freedom : float, optional
        Residual degrees of freedom, where σ² was estimated: Student's t is used. Otherwise the normal.
    penalty : str
        The penalty in words; empty for maximum likelihood.
    measures : mapping of str to float
        More numbers of the fit: ``r2``, ``deviance``, ``sigma2`` and the like; read as attributes.
    profile_of : callable, optional
        ``profile_of(index, level)`` is the profile-likelihood interval of a parameter.
    detail : str
        What the status alone cannot say, such as the columns concerned.
    fitted : distribution, optional
        The distribution with its estimated parameters, where the model is one.
    refit : callable, optional
        Weights of the rows, shape (n,), to estimates: for the bootstrap.
    data : ndarray of shape (n,), optional
        The numbers that ``fitted`` was fitted to, for its plot.
    """

    title: str
    names: Sequence[str]
    params: FloatArray
    log_likelihood: float
    rows: float
    status: Status
    covariance_of: Callable[[str, NDArray[Any] | None], FloatArray] = field(repr=False)
    errors: str = "observed"
    groups: NDArray[Any] | None = field(default=None, repr=False)
    free: int | None = None
    freedom: float | None = None
    penalty: str = ""
    measures: Mapping[str, float] = field(default_factory=dict)
    profile_of: Callable[[int, float], tuple[float, float]] | None = field(default=None, repr=False)
    detail: str = ""
    fitted: Any = field(default=None, repr=False)
    refit: Callable[[FloatArray], FloatArray] | None = field(default=None, repr=False)
    data: FloatArray | None = field(default=None, repr=False)

    def with_errors(self, kind: ErrorKind, groups: NDArray[Any] | None = None) -> LikelihoodResult:
        """Return the same fit with another kind of standard errors.

        Parameters
        ----------
        kind : {"observed", "expected", "HC0", "HC1", "HC2", "HC3", "clustered"}
            Inverse observed or expected information, the sandwich with the row's score (HC0), its
            small-sample forms (HC1–HC3), or the sandwich with the sum of the scores of each group.
        groups : ndarray of shape (n,), optional
            Group of each row; needed for clustered errors.

        Raises
        ------
        UsageError
            There is no such kind for this fit, or groups are missing.
        """
        if kind not in KIND_WORDS:
            raise UsageError(f"errors: there is no {kind!r}; choose from {', '.join(KIND_WORDS)}")
        if kind == "clustered" and groups is None:
            raise UsageError("groups: clustered errors need the group of each row")
        return replace(self, errors=kind, groups=groups)

    def __getattr__(self, name: str) -> float:
        try:
            return float(object.__getattribute__(self, "measures")[name])
        except (KeyError, AttributeError):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}") from None

    @property
    def penalised(self) -> bool:
        """Whether a penalty pulled the estimate away from maximum likelihood."""
        return bool(self.penalty)

    @property
    def covariance(self) -> FloatArray:
        """Covariance matrix of the estimate, of the kind ``errors``; NaN where the fit has not ended well."""
        p = len(self.params)
        return self.covariance_of(self.errors, self.groups) if self.status.ok else np.full((p, p), np.nan)

    @property
    def standard_errors(self) -> FloatArray:
        """Standard error of each parameter."""
        return np.sqrt(np.diagonal(self.covariance))

    @property
    def statistics(self) -> FloatArray:
        """Estimate over standard error: z, or t where σ² was estimated."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio: FloatArray = self.params / self.standard_errors
        return ratio

    @property
    def p_values(self) -> FloatArray:
        """Two-sided probability of a statistic as large when the parameter is 0."""
        return np.asarray(2 * self._lower_tail(-np.abs(self.statistics)))

    @property
    def aic(self) -> float:
        """−2 log L + 2 k, k counting σ²."""
        return 2 * self._count - 2 * self.log_likelihood

    @property
    def aicc(self) -> float:
        """AIC corrected for few rows; infinite where there are no more rows than numbers estimated."""
        k, spare = self._count, self.rows - self._count - 1
        return self.aic + 2 * k * (k + 1) / spare if spare > 0 else np.inf

    @property
    def bic(self) -> float:
        """−2 log L + k log n."""
        return float(np.log(self.rows)) * self._count - 2 * self.log_likelihood

    def interval(
        self,
        level: float = 0.95,
        method: IntervalMethod = "wald",
        *,
        resamples: int = 999,
        rng: Generator | None = None,
    ) -> FloatArray:
        """Return the confidence interval of each parameter, shape (p, 2).

        Parameters
        ----------
        level : float
            Nominal coverage.
        method : {"wald", "profile", "bootstrap"}
            Estimate ± quantile × standard error, the values that a likelihood-ratio test would keep, or
            the percentiles of the estimates from resampled rows.
        resamples : int
            Of the bootstrap.
        rng : Generator, optional
            Draws them; of seed 0 by default.

        Raises
        ------
        UsageError
            ``level`` is not between 0 and 1, or this fit has no profile likelihood.
        """
        if not 0 < level < 1:
            raise UsageError(f"level: must lie between 0 and 1, not {level:g}")
        if method == "wald":
            reach = self._quantile((1 + level) / 2) * self.standard_errors
            return np.column_stack([self.params - reach, self.params + reach])
        if method == "bootstrap":
            return self._bootstrap(level, resamples, np.random.default_rng(0) if rng is None else rng)
        if method != "profile":
            raise UsageError(f"method: must be 'wald', 'profile' or 'bootstrap', not {method!r}")
        if self.profile_of is None or self.penalised:
            raise UsageError("method: a profile likelihood needs a maximum-likelihood fit; use 'wald'")
        if not self.status.ok:
            return np.full((len(self.params), 2), np.nan)
        return np.array([self.profile_of(index, level) for index in range(len(self.params))])

    def contrast(self, weights: FloatArray, value: float | FloatArray = 0.0) -> Hypothesis:
        """Estimate linear combinations of the parameters and test that they are ``value``.

        Parameters
        ----------
        weights : ndarray of shape (p,) or (q, p)
            One combination, or several to be tested together.
        value : float or ndarray of shape (q,)
            What the null hypothesis says they are.

        Raises
        ------
        UsageError
            The weights do not match the parameters.
        """
        L = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        if L.shape[1] != len(self.params):
            raise UsageError(f"weights: must have {len(self.params)} columns, not {L.shape[1]}")
        estimate, covariance = L @ self.params, L @ self.covariance @ L.T
        off = estimate - value
        q = len(L)
        wald = float(off @ linalg.lstsq(covariance, off)[0]) if np.isfinite(covariance).all() else np.nan
        errors = np.sqrt(np.diagonal(covariance))
        if self.freedom is None:
            return Hypothesis(estimate, errors, wald, (float(q),), float(special.chdtrc(q, wald)))
        p = float(special.fdtrc(q, self.freedom, wald / q))
        return Hypothesis(estimate, errors, wald / q, (float(q), self.freedom), p)

    def table(self, level: float = 0.95) -> dict[str, list[Any]]:
        """Return the table by column: name, estimate, standard_error, statistic, p, low and high."""
        low, high = self.interval(level).T
        return {
            "name": list(self.names),
            "estimate": self.params.tolist(),
            "standard_error": self.standard_errors.tolist(),
            "statistic": self.statistics.tolist(),
            "p": self.p_values.tolist(),
            "low": low.tolist(),
            "high": high.tolist(),
        }

    def summary(self, level: float = 0.95) -> str:
        """Return the coefficient table as text, what must be known of the fit in its first lines."""
        head, rows = self._cells(level)
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if place == 0 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in [head, *rows]
        ]
        return "\n".join([*self._first_lines(), "", *lines, "", *self._last_lines()])

    def _repr_html_(self) -> str:
        head, rows = self._cells(0.95)
        top = "<br>".join(map(escape, self._first_lines()))
        bottom = "<br>".join(map(escape, self._last_lines()))
        header = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in rows
        )
        return (
            f"<div><p>{top}</p><table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>"
            f"<p>{bottom}</p></div>"
        )

    def plot(self, ax: Any = None, level: float = 0.95) -> Any:
        """Draw quantiles of the data against those of the distribution, or each parameter's interval.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure otherwise.
        level : float
            Of the band, or of the intervals.

        Returns
        -------
        matplotlib.axes.Axes
            Those drawn on.
        """
        return draw(self, ax, level)

    def _bootstrap(self, level: float, resamples: int, rng: Generator) -> FloatArray:
        if self.refit is None:
            raise UsageError("method: this fit cannot be repeated on resampled rows; use 'wald'")
        if not self.status.ok:
            return np.full((len(self.params), 2), np.nan)
        n = round(self.rows)
        drawn = [self.refit(rng.multinomial(n, np.full(n, 1 / n)).astype(float)) for _ in range(resamples)]
        return np.quantile(np.stack(drawn), [(1 - level) / 2, (1 + level) / 2], axis=0).T

    @property
    def _count(self) -> int:
        return len(self.params) if self.free is None else self.free

    def _lower_tail(self, statistic: FloatArray) -> FloatArray:
        if self.freedom is None:
            return np.asarray(special.ndtr(statistic))
        return np.asarray(special.stdtr(self.freedom, statistic))

    def _quantile(self, probability: float) -> float:
        if self.freedom is None:
            return float(special.ndtri(probability))
        return float(special.stdtrit(self.freedom, probability))

    def _first_lines(self) -> list[str]:
        lines = []
        if self.penalised:
            lines.append(
                f"Penalised fit ({self.penalty}), not maximum likelihood: "
                "the errors are of the shrunken estimate, without its bias"
            )
        lines.append(f"{self.title}, {self.rows:g} rows; errors: {KIND_WORDS[self.errors]}")
        if not self.status.ok:
            lines.append(
                f"No standard errors: {self.status.value}" + (f" ({self.detail})" if self.detail else "")
            )
        return lines

    def _last_lines(self) -> list[str]:
        measures = {
            "log-likelihood": self.log_likelihood,
            "AIC": self.aic,
            "AICc": self.aicc,
            "BIC": self.bic,
            **self.measures,
        }
        return ["  ".join(f"{name} {_short(value)}" for name, value in measures.items())]

    def _cells(self, level: float) -> tuple[list[str], list[list[str]]]:
        table = self.table(level)
        letter = "z" if self.freedom is None else "t"
        percent = f"{100 * level:g} %"
        head = ["", "estimate", "std. error", letter, f"P>|{letter}|", f"{percent} low", f"{percent} high"]
        rows = [
            [
                str(name),
                *map(_short, (estimate, error)),
                "—" if np.isnan(statistic) else f"{statistic:.3f}",
                _chance(p),
                *map(_short, ends),
            ]
            for name, estimate, error, statistic, p, *ends in zip(*table.values(), strict=True)
        ]
        return head, rows


def _short(value: float) -> str:
    return "—" if np.isnan(value) else f"{value:.6g}"


def _chance(p: float) -> str:
    if np.isnan(p):
        return "—"
    return "<0.001" if p < 0.001 else f"{p:.3f}"
