"""The command line: parse and call.

Exit status 0 for an answer, no winner included; 2 for bad usage or bad data.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Any

import rich_click as click

from thetahat.errors import DataError, ThetaHatError

__all__ = ["main"]

OPTIONS = [
    click.option(
        "-m",
        "--models",
        multiple=True,
        help="A learner: logistic, linear, svm-rbf, "
        "svm-linear, "
        "pca+logistic, pca+linear, mlp, forest, boosting, or package.module:Class. Several: -m A -m B",
    ),
    click.option(
        "-s",
        "--metric",
        default="auto",
        show_default=True,
        help="The loss of a row: error, log-loss, squared-error or absolute-error.",
    ),
    click.option("--resampling", default="auto", show_default=True, help="holdout:F, cv:K, cv:RxK or loo."),
    click.option("--interval", default="auto", show_default=True, help="corrected-t, holdout or plain."),
    click.option("--level", type=float, default=0.95, show_default=True, help="Level of the intervals."),
    click.option("--margin", type=float, help="Smallest difference of mean loss that matters."),
    click.option(
        "--correction",
        type=click.Choice(["holm", "none"]),
        default="holm",
        show_default=True,
        help="Adjustment of the pairs' p-values.",
    ),
    click.option(
        "--task",
        type=click.Choice(["auto", "classification", "regression"]),
        default="auto",
        show_default=True,
        help="What the target is.",
    ),
    click.option("--group", help="Column whose equal values stay on one side of a split."),
    click.option("--time", help="Column that orders the rows; training rows then come first."),
    click.option("--drop", multiple=True, help="Column to leave out. Several: --drop A --drop B."),
    click.option(
        "--missing",
        type=click.Choice(["impute", "drop", "error"]),
        default="impute",
        show_default=True,
        help="What to do with missing features.",
    ),
    click.option("--sep", help="Delimiter of a text file."),
    click.option("--encoding", help="Encoding of a text file."),
    click.option("--na-values", multiple=True, help="Text that means a missing value."),
    click.option("--time-limit", type=float, help="Seconds after which no further fit is begun."),
    click.option("-j", "--jobs", type=int, default=1, show_default=True, help="Worker processes; -1 is all."),
    click.option("--seed", type=int, default=0, show_default=True, help="Seed of all randomness."),
    click.option("--strict", is_flag=True, help="Let warnings about the table stop the work."),
    click.option("--json", "json_path", type=click.Path(dir_okay=False), help="Save the result here."),
    click.option("-q", "--quiet", is_flag=True, help="Print the verdict alone."),
]


@click.group()
@click.version_option(package_name="thetahat")
def main() -> None:
    """Maximum-likelihood machine learning with an error bar on everything."""


@main.command()
@click.argument("data", type=click.Path())
@click.option("--target", required=True, help="Column to predict.")
def compare(data: str, target: str, **options: Any) -> None:
    """Say which learner predicts TARGET best on the table DATA, and how sure that is."""
    _compare(data, target, options)


@main.command()
def demo(**options: Any) -> None:
    """Compare learners on a small real table: the species of 344 penguins."""
    with as_file(files("thetahat.datasets") / "penguins.csv") as path:
        _compare(str(path), "species", options)


for option in reversed(OPTIONS):
    option(compare)
    option(demo)


@main.command()
@click.argument("data", type=click.Path())
@click.option("--target", required=True, help="Column to predict.")
@click.option("--sep", help="Delimiter of a text file.")
@click.option("--encoding", help="Encoding of a text file.")
@click.option("--strict", is_flag=True, help="Exit with 2 on warnings too.")
def check(data: str, target: str, sep: str | None, encoding: str | None, strict: bool) -> None:
    """Check the table DATA alone: every problem found, and exit status 2 if one stops a comparison."""
    from thetahat.comparison.checks import examine
    from thetahat.tables import read

    try:
        found = examine(read(data, sep=sep, encoding=encoding), target)
        problems, stops = found.problems, bool(found.errors or (strict and found.warnings))
    except DataError as error:
        problems, stops = error.problems, True
    for problem in problems:
        click.echo(f"{problem.severity.value}: {problem}")
    if not problems:
        click.echo("Nothing found.")
    if stops:
        raise SystemExit(2)


def _compare(data: str, target: str, options: dict[str, Any]) -> None:
    from thetahat.comparison.compare import compare as run

    json_path, quiet = options.pop("json_path"), options.pop("quiet")
    options["models"] = options["models"] or None
    options["na_values"] = options["na_values"] or None
    try:
        result = run(data, target, **options)
    except DataError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        raise SystemExit(2) from None
    except ThetaHatError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from None
    if json_path:
        result.to_json(json_path)
    from rich.console import Console

    from thetahat.report.terminal import show

    show(result.record, Console(width=None), quiet=quiet)
