"""The HTML page of a comparison: one file, no script, no request, nothing of the data's rows."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from thetahat.display import numbers
from thetahat.report import figures, metric, phrases
from thetahat.report.drawing import Picture
from thetahat.report.intervals import IntervalPlot, svg
from thetahat.report.names import shortened_apart
from thetahat.results.comparison import ComparisonRecord, ModelRecord, Part, encode
from thetahat.results.saving import replace_file

__all__ = ["environment", "fragment", "picture", "render", "write"]


# Warnings that stand under the verdict; the others are in the section on the data.
MOST_WARNINGS = 3
SHORT_NAME = 30
# A longer word may have to be broken on a phone.
LONGEST_WHOLE = 24
# Scores that are the same number as a measure of another name for people.
SAME = {"MAE": "absolute-error", "RMSE": "squared-error", "F1": "f1", "AUC": "auc", "R²": "r2"}


@dataclass(frozen=True, slots=True)
class _View:
    """What the page shows of one measure."""

    record: ComparisonRecord
    main: bool
    fitted: list[ModelRecord]
    forest: Picture | None
    dashed: bool
    arrows: bool
    between: Picture | None
    arrows_between: bool
    matrix: list[tuple[str, str, list[Any]]]
    against: dict[str, str]
    failures: list[str]


def render(record: ComparisonRecord) -> str:
    """Return the page.

    Parameters
    ----------
    record : ComparisonRecord
        What to show. Its names and notes come from a stranger's table: all are escaped.
    """
    optimism = figures.optimism(record)
    main = _view(record, main=True)
    warnings = [warning for warning in record.warnings if warning.severity == "warning"]
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            record=record,
            main=main,
            further=[_view(metric.by_measure(record, each), main=False) for each in record.measures],
            failures=phrases.failures(record),
            first_warnings=warnings[:MOST_WARNINGS],
            more_warnings=warnings[MOST_WARNINGS:],
            notices=[warning for warning in record.warnings if warning.severity != "warning"],
            optimism=None if optimism is None else picture(optimism),
            arrows_optimism=optimism is not None and optimism.hides,
            tuned=[model for model in main.fitted if model.tuning is not None],
            scores=_scores(record, main.fitted),
            rooted=metric.is_root(record.metric),
            json=base64.b64encode(encode(record)).decode(),
        )
    )


def fragment(record: ComparisonRecord) -> str:
    """Return the verdict, the leaderboard and a line for each further measure, for a notebook."""
    seen = phrases.positive_class(record, record.metric)
    return (
        environment()
        .get_template("fragment.html.j2")
        .render(
            record=record,
            fitted=[model for model in record.models if model.shown is not None],
            failures=phrases.failures(record),
            further=[
                phrases.measure_sentence(metric.by_measure(record, each), positive=not seen)
                for each in record.measures
            ],
        )
    )


def _view(record: ComparisonRecord, *, main: bool) -> _View:
    fitted = [model for model in record.models if model.shown is not None]
    shown = metric.in_shown_unit(record)
    forest = figures.losses(record) if fitted else None
    between = figures.differences(record) if main else None
    pairs = figures.against_leader(record)
    return _View(
        shown,
        main,
        fitted,
        None if forest is None else picture(forest),
        forest is not None and forest.shows_line,
        forest is not None and forest.hides,
        None if between is None else picture(between),
        between is not None and between.hides,
        _matrix(shown, fitted),
        {model.name: "" for model in fitted} | {p.a: phrases.VERDICTS[p.verdict] for p in pairs},
        phrases.failures(record),
    )


def _scores(record: ComparisonRecord, fitted: list[ModelRecord]) -> list[str]:
    """Return the scores that are shown beside the measure: those that were not asked for as measures."""
    asked = [record.metric, *(each.metric for each in record.measures)]
    names = {name for each in asked for name in (each.name, each.shown_as)}
    every = dict.fromkeys(name for model in fitted for name in model.scores)
    return [name for name in every if name not in names and SAME.get(name) not in names]


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


def _matrix(record: ComparisonRecord, models: list[ModelRecord]) -> list[tuple[str, str, list[Any]]]:
    """Return for each model its name, long and short, and its pairs with every model, seen from it."""
    known = {frozenset((pair.a, pair.b)): pair for pair in record.pairs}
    short = shortened_apart([model.name for model in models], SHORT_NAME)
    return [
        (
            model.name,
            name,
            [
                None
                if other is model
                else figures.seen_from(known[frozenset((model.name, other.name))], model.name)
                for other in models
            ],
        )
        for model, name in zip(models, short, strict=True)
    ]


def _part_words(part: Part | None) -> str:
    """Return a part of a loss with its interval, a dash where there is none."""
    if part is None:
        return numbers.MISSING
    error = None if part.low is None or part.high is None else (part.high - part.low) / 4 or None
    shown = numbers.beside(part.estimate, error)
    return shown if part.low is None else f"{shown} ({numbers.interval(part.low, part.high, error)})"


def _whole(text: str) -> Markup:
    """Return the text as HTML in which no line breaks at the hyphen of a name or of a flag."""
    words = []
    for word in text.split(" "):
        unbroken = "-" in word and len(word) <= LONGEST_WHOLE
        words.append(Markup('<span class="whole">{}</span>').format(word) if unbroken else escape(word))
    return Markup(" ").join(words)


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
        whole=_whole,
    )
    environment.globals.update(
        interval=numbers.interval,
        training=numbers.beside,
        difference=figures.difference,
        part_words=_part_words,
        pair_interval=lambda pair: numbers.interval(pair.low, pair.high, figures.error_of(pair)),
        words=phrases.VERDICTS,
        basis_sentence=phrases.basis_sentence,
        counted_as=metric.counted_as,
        direction=metric.direction,
        unit_and_direction=metric.unit_and_direction,
        notes=phrases.notes,
        rows_sentence=phrases.rows_sentence,
        whose_splits=phrases.whose_splits,
        interval_sentence=phrases.interval_sentence,
        plan_sentence=phrases.plan_sentence,
        leader_sentence=phrases.leader_sentence,
        pairs_sentence=phrases.pairs_sentence,
        tuning_sentence=phrases.tuning_sentence,
    )
    return environment
