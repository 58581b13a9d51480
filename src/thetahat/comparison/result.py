"""What a comparison found, for people in a notebook or a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thetahat.comparison.predictions import prediction_columns, write_predictions
from thetahat.errors import UsageError
from thetahat.measures.measure import Target
from thetahat.measures.registry import canonical
from thetahat.report import figures, page
from thetahat.resampling.evidence import Evidence
from thetahat.results import comparison as record
from thetahat.results.comparison import MeasureRecord
from thetahat.results.saving import replace_file
from thetahat.tables import frame_like

__all__ = ["Comparison"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison:
    """What :func:`compare` found.

    Parameters
    ----------
    record : ComparisonRecord
        All of it, as saved.
    backend : str
        The library that result tables are made in.
    evidence : Evidence, optional
        What the models predicted; a saved result has none.
    target : Target, optional
        The classes of the target.
    """

    record: record.ComparisonRecord
    backend: str = "polars"
    evidence: Evidence | None = None
    target: Target | None = None

    @classmethod
    def read(cls, path: str | Path, backend: str = "polars") -> Comparison:
        """Read a saved result.

        Raises
        ------
        ResultFileError
            The file is not a result this version can read.
        """
        return cls(record.read(path), backend)

    @property
    def verdict(self) -> str:
        """The verdict as a sentence."""
        return self.record.verdict

    @property
    def winner(self) -> str | None:
        """The model that is better than every other, or ``None``."""
        return self.record.winner

    def table(self, metric: str | None = None) -> Any:
        """Return the models, best first, as a frame of the caller's own library.

        Parameters
        ----------
        metric : str, optional
            One of the measures that were asked for; the first by default.

        Returns
        -------
        frame
            Columns ``model``, the measure by its name for people ("error rate", "RMSE", "AUC", …), ``se``,
            ``low``, ``high``, ``train``, ``fit_seconds``, the other scores by name, and ``status``.

        Raises
        ------
        UsageError
            The measure was not asked for.
        """
        further = self._further(metric)
        models = {m.name: m for m in self.record.models}
        if further is None:
            shown_as, names = self.record.metric.shown_as, list(models)
            shown = [m.shown for m in self.record.models]
            train = [m.train_shown for m in self.record.models]
        else:
            shown_as, names = further.metric.shown_as, [m.name for m in further.models]
            shown = [m.shown for m in further.models]
            train = [m.train_shown for m in further.models]
        scores = list(dict.fromkeys(score for m in models.values() for score in m.scores))
        columns: dict[str, Any] = {
            "model": names,
            shown_as: [s and s.estimate for s in shown],
            "se": [s and s.se for s in shown],
            "low": [s and s.low for s in shown],
            "high": [s and s.high for s in shown],
            "train": train,
            "fit_seconds": [models[name].fit_seconds for name in names],
        }
        for score in scores:
            of_score = [models[name].scores.get(score) for name in names]
            columns.setdefault(score, [each and each.estimate for each in of_score])
        return frame_like(self.backend, {**columns, "status": [models[name].status for name in names]})

    def pairs(self, metric: str | None = None) -> Any:
        """Return the pairs as a frame of the caller's own library.

        Parameters
        ----------
        metric : str, optional
            One of the measures that were asked for; the first by default.

        Returns
        -------
        frame
            Columns ``a``, ``b``, ``difference`` (the measure of a minus that of b), ``low``, ``high``,
            ``p``, ``p_adjusted``, ``verdict`` ("a is … b"), ``textbook`` and ``rows_to_decide``.

        Raises
        ------
        UsageError
            The measure was not asked for.
        """
        further = self._further(metric)
        pairs: Sequence[record.PairRecord] = self.record.pairs if further is None else further.pairs
        fields = (
            "a",
            "b",
            "difference",
            "low",
            "high",
            "p",
            "p_adjusted",
            "verdict",
            "textbook",
            "rows_to_decide",
        )
        return frame_like(self.backend, {name: [getattr(pair, name) for pair in pairs] for name in fields})

    def predictions(self) -> Any:
        """Return every prediction of held-out rows as a frame of the caller's own library.

        Returns
        -------
        frame
            Columns ``row`` (number in the table as it was given, from 0; the rows of a test table follow
            those of the data), ``draw`` (from 0), ``model``, ``y``, ``value`` (the predicted label or
            number), for classes ``probability_CLASS`` of each class, and ``weight``.

        Raises
        ------
        UsageError
            The result was read from a file, which keeps no predictions.
        """
        return frame_like(self.backend, self._prediction_columns())

    def to_predictions(self, path: str | Path) -> None:
        """Write the predictions to a file, Parquet or, by its ending ``.csv``, CSV.

        Raises
        ------
        UsageError
            The file cannot be written, or there are no predictions.
        """
        write_predictions(self._prediction_columns(), path)

    def plot(self, ax: Any = None) -> Any:
        """Draw every model's measure with its interval, best first.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure otherwise.

        Returns
        -------
        matplotlib.axes.Axes
            Those drawn on.
        """
        return figures.forest(self.record, ax)

    def to_html(self, path: str | Path) -> None:
        """Write the result as one HTML page that loads nothing from the network.

        Raises
        ------
        UsageError
            The file cannot be written; a file already there is left as it is.
        """
        page.write(self.record, path)

    def to_json(self, path: str | Path) -> None:
        """Save the result as JSON, schema version 1.

        Raises
        ------
        UsageError
            The file cannot be written; a file already there is left as it is.
        """
        replace_file(path, record.encode(self.record))

    def _further(self, metric: str | None) -> MeasureRecord | None:
        if metric is None:
            return None
        known = [self.record.metric.name, *(each.metric.name for each in self.record.measures)]
        if not isinstance(metric, str):
            raise UsageError(
                f"metric: the name of a measure is expected, not {metric!r}; this result has "
                f"{', '.join(known)}"
            )
        name = metric if metric in known else canonical(metric, self.record.task.kind)
        if name in known:
            return None if name == known[0] else self.record.measures[known.index(name) - 1]
        raise UsageError(f"metric: {metric} was not asked for; this result has {', '.join(known)}")

    def _prediction_columns(self) -> dict[str, np.ndarray[Any, Any] | list[Any]]:
        if self.evidence is None or self.target is None:
            raise UsageError(
                "predictions: a saved result keeps none; compare again, or use to_predictions first"
            )
        return prediction_columns(self.evidence, self.target)

    def _repr_html_(self) -> str:
        return page.fragment(self.record)

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.record.models)} models: {self.verdict}>"
