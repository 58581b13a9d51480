"""The HTML page of a comparison: one file, no script, no request, nothing of the data's rows."""

from __future__ import annotations

import base64
import os
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from thetahat.display import numbers
from thetahat.report import figures, phrases
from thetahat.report.drawing import Picture
from thetahat.report.intervals import IntervalPlot, shortened, svg
from thetahat.results.comparison import ComparisonRecord, ModelRecord, Part, encode
from thetahat.results.saving import replace_file

__all__ = ["environment", "fragment", "picture", "render", "write"]


def render(record: ComparisonRecord) -> str:
    """Return the page.

    Parameters
    ----------
    record : ComparisonRecord
        What to show. Its names and notes come from a stranger's table: all are escaped.
    """
    fitted = [model for model in record.models if model.shown is not None]
    between, optimism = figures.differences(record), figures.optimism(record)
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            record=record,
            fitted=fitted,
            failed=[model for model in record.models if model.shown is None],
            forest=picture(figures.losses(record)) if fitted else None,
            between=None if between is None else picture(between),
            optimism=None if optimism is None else picture(optimism),
            tuned=[model for model in fitted if model.tuning is not None],
            pairs=[pair for pair in record.pairs],
            matrix=_matrix(record, fitted),
            scores=list(dict.fromkeys(name for model in fitted for name in model.scores)),
            json=base64.b64encode(encode(record)).decode(),
        )
    )


def fragment(record: ComparisonRecord) -> str:
    """Return the verdict and the leaderboard alone, for a notebook."""
    fitted = [model for model in record.models if model.shown is not None]
    return environment().get_template("fragment.html.j2").render(record=record, fitted=fitted)


def write(record: ComparisonRecord, path: str | os.PathLike[str]) -> None:
    """Write the page, whole or not at all.

    Raises
    ------
    UsageError
        The file cannot be written; what stood there is unharmed.
    """
    replace_file(path, render(record).encode())


def picture(plot: IntervalPlot) -> Picture:
    """Draw a plot of intervals for both widths."""
    return Picture.of(plot.finding, lambda width, narrow: svg(plot, width, narrow=narrow))


def _matrix(record: ComparisonRecord, models: list[ModelRecord]) -> list[tuple[str, list[Any]]]:
    """Return a row for each model: its pairs with every model, seen from it, None with itself."""
    found = {frozenset((pair.a, pair.b)): pair for pair in record.pairs}
    return [
        (
            model.name,
            [
                None
                if other is model
                else figures.seen_from(found[frozenset((model.name, other.name))], model.name)
                for other in models
            ],
        )
        for model in models
    ]


def _part_words(part: Part | None) -> str:
    """Return a part of a loss with its interval, a dash where there is none."""
    if part is None:
        return numbers.MISSING
    error = None if part.low is None or part.high is None else (part.high - part.low) / 4 or None
    shown = numbers.beside(part.estimate, error)
    return shown if part.low is None else f"{shown} ({numbers.interval(part.low, part.high, error)})"


@cache
def environment() -> Environment:
    """Return the templates with what they need: autoescape on, an unknown name an error."""
    environment = Environment(
        loader=PackageLoader("thetahat.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        with_error=numbers.with_error,
        decimals=numbers.number,
        figure=numbers.figure,
        p=numbers.p_value,
        count=numbers.count,
        duration=numbers.duration,
        short=shortened,
    )
    environment.globals.update(
        interval=numbers.interval,
        training=numbers.beside,
        difference=figures.difference,
        part_words=_part_words,
        pair_interval=lambda pair: numbers.interval(pair.low, pair.high, figures.error_of(pair)),
        words=phrases.VERDICTS,
        interval_sentence=phrases.interval_sentence,
        plan_sentence=phrases.plan_sentence,
        leader_sentence=phrases.leader_sentence,
        pairs_sentence=phrases.pairs_sentence,
        tuning_sentence=phrases.tuning_sentence,
    )
    return environment
