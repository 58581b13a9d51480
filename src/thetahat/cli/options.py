"""Options that several commands share, each told once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import rich_click as click

from thetahat.comparison.aliases import ALIASES

__all__ = ["JUDGING", "KEEPING", "OUTPUT", "READING", "TABLE", "comma_separated", "with_options"]

Command = TypeVar("Command", bound=Callable[..., Any])
Option = Callable[[Any], Any]


def with_options(*groups: Sequence[Option]) -> Callable[[Command], Command]:
    """Give a command these options, in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return decorate


def comma_separated(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Take ``-m a,b`` for ``-m a -m b``."""
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip())


READING: Sequence[Option] = (
    click.option("--sep", metavar="CHAR", help="Delimiter of a text file: a character, tab or space."),
    click.option("--encoding", metavar="NAME", help="Encoding of a text file; UTF-8 if not given."),
    click.option(
        "--na-values", metavar="TEXT", multiple=True, help="Text that means a missing value. Several."
    ),
)

TABLE: Sequence[Option] = (
    *READING,
    click.option(
        "--task",
        type=click.Choice(["auto", "classification", "regression"]),
        default="auto",
        show_default=True,
        help="What the target is.",
    ),
    click.option("--group", metavar="COL", help="Column whose equal values stay on one side of a split."),
    click.option("--time", metavar="COL", help="Column that orders the rows; training rows then come first."),
    click.option(
        "--drop", metavar="COL", multiple=True, help="Column to leave out. Several: --drop A --drop B."
    ),
    click.option(
        "--missing",
        type=click.Choice(["impute", "drop", "error"]),
        default="impute",
        show_default=True,
        help="What becomes of missing features: filled in each training fold, rows left out, or refused.",
    ),
    click.option("--strict", is_flag=True, help="Let warnings about the table stop the work too."),
)

JUDGING: Sequence[Option] = (
    click.option(
        "-m",
        "--models",
        metavar="NAME",
        multiple=True,
        callback=comma_separated,
        help=f"A learner: {', '.join(ALIASES)}, or package.module:Class. Several: -m A -m B, or -m A,B. "
        "The dummy, which ignores the features, is always there.",
    ),
    click.option(
        "--baseline",
        metavar="NAME",
        default="dummy",
        show_default=True,
        help="The model that the others are held against.",
    ),
    click.option(
        "-s",
        "--metric",
        metavar="NAME",
        default="auto",
        show_default=True,
        help="The loss of a row: error or log-loss for classes, squared-error or absolute-error for numbers.",
    ),
    click.option(
        "--resampling",
        metavar="PLAN",
        default="auto",
        show_default=True,
        help="How rows are held out: holdout:F, cv:K, cv:RxK (R repeats of K folds), nested:RxK, "
        "halves:MxJ, bootstrap:B or loo.",
    ),
    click.option(
        "--interval",
        metavar="METHOD",
        default="auto",
        show_default=True,
        help="Of a model's loss: corrected-t, clt, clt-within, groups, blocks, holdout, plain (too narrow); "
        "nested, conservative-z and bootstrap632+ have draws of their own.",
    ),
    click.option(
        "--pairs",
        metavar="METHOD",
        default="auto",
        show_default=True,
        help="Of a difference: clt (over rows), corrected-t (over folds), groups, or blocks (of time).",
    ),
    click.option("--bayes", is_flag=True, help="Give pairs the probabilities of better, equivalent, worse."),
    click.option(
        "--rows-needed",
        is_flag=True,
        help="Find how many rows would part the first and the farthest of those not told from it, from the "
        "learning curves of both.",
    ),
    click.option(
        "--tune",
        metavar="GRID",
        multiple=True,
        default=["auto"],
        show_default=True,
        help="Parameters are chosen inside each training fold: auto (the usual small grid of each model), "
        "none, or MODEL.PARAMETER=VALUE,VALUE,… simplest first, as svm-rbf.C=0.1,1,10. Several.",
    ),
    click.option(
        "--tune-rule",
        type=click.Choice(["best", "one-se"]),
        default="best",
        show_default=True,
        help="Take the point of least inner loss, or the simplest within one standard error of it.",
    ),
    click.option("--level", type=float, default=0.95, show_default=True, help="Level of the intervals."),
    click.option("--margin", type=float, help="Smallest difference of mean loss that matters."),
    click.option(
        "--correction",
        type=click.Choice(["holm", "none"]),
        default="holm",
        show_default=True,
        help="Adjustment of the pairs' p-values.",
    ),
    click.option("--max-rows", type=int, metavar="N", help="Use at most so many rows, drawn at random."),
    click.option(
        "--time-limit",
        type=float,
        metavar="SECONDS",
        help="Begin no further fit after so many seconds, and end ours that are under way.",
    ),
    click.option(
        "-j",
        "--jobs",
        type=int,
        default=1,
        show_default=True,
        help="Worker processes; -1 is one a processor.",
    ),
    click.option(
        "--cluster",
        metavar="ADDRESS",
        help="Run the fits on a Dask cluster: tcp://host:8786, or local:N for N processes here.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Seed of all randomness."),
)

OUTPUT: Sequence[Option] = (
    click.option(
        "--report",
        "page_path",
        type=click.Path(dir_okay=False),
        help="Write the result as an HTML page here.",
    ),
    click.option(
        "--json", "json_path", type=click.Path(dir_okay=False), help="Save the result as JSON here."
    ),
    click.option("-q", "--quiet", is_flag=True, help="Print the verdict alone."),
)

KEEPING: Sequence[Option] = (
    click.option(
        "--checkpoint",
        type=click.Path(dir_okay=False),
        help="Keep the finished draws here while it runs; beside --json or --report if not named. Removed "
        "when the result is whole.",
    ),
    click.option(
        "--resume",
        is_flag=True,
        help="Go on from the checkpoint of a run that was killed, interrupted or out of time, to the same "
        "bits.",
    ),
)
