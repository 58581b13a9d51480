"""What a comparison found, for people in a notebook or a script."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thetahat.report import figures, page
from thetahat.results import comparison as record
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
    """

    record: record.ComparisonRecord
    backend: str = "polars"

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

    def table(self) -> Any:
        """Return the models, best first, as a frame of the caller's own library.

        Returns
        -------
        frame
            Columns ``model``, the metric by its name ("error rate", "RMSE", …), ``se``, ``low``,
            ``high``, ``train``, ``fit_seconds``, the other scores by name, and ``status``.
        """
        models = self.record.models
        shown = [m.shown for m in models]
        scores = list(dict.fromkeys(name for m in models for name in m.scores))
        columns = {
            "model": [m.name for m in models],
            self.record.metric.shown_as: [s and s.estimate for s in shown],
            "se": [s and s.se for s in shown],
            "low": [s and s.low for s in shown],
            "high": [s and s.high for s in shown],
            "train": [m.train_shown for m in models],
            "fit_seconds": [m.fit_seconds for m in models],
        }
        for name in scores:
            columns.setdefault(name, [m.scores[name].estimate if name in m.scores else None for m in models])
        return frame_like(self.backend, {**columns, "status": [m.status for m in models]})

    def pairs(self) -> Any:
        """Return the pairs as a frame of the caller's own library.

        Returns
        -------
        frame
            Columns ``a``, ``b``, ``difference`` (mean loss of a minus that of b), ``low``, ``high``,
            ``p``, ``p_adjusted``, ``verdict`` ("a is … b"), ``textbook`` and ``rows_to_decide``.
        """
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
        return frame_like(
            self.backend, {name: [getattr(pair, name) for pair in self.record.pairs] for name in fields}
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw every model's loss with its interval, best first.

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
        """Write the result as one HTML page that asks nothing of the network.

        Raises
        ------
        UsageError
            The file cannot be written; what stood there is unharmed.
        """
        page.write(self.record, path)

    def to_json(self, path: str | Path) -> None:
        """Save the result as JSON, schema version 1.

        Raises
        ------
        UsageError
            The file cannot be written; what stood there is unharmed.
        """
        replace_file(path, record.encode(self.record))

    def _repr_html_(self) -> str:
        return page.fragment(self.record)

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.record.models)} models: {self.verdict}>"
