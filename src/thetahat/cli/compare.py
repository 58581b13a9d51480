"""``thetahat compare``, ``demo`` and ``report``."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from importlib.resources import as_file, files
from typing import Any

import rich_click as click

from thetahat.cli.console import answers, check_folder, progress_bar
from thetahat.cli.options import COMPARING, DEMO, OUTPUT, PREDICTIONS, with_options

__all__ = ["compare", "demo", "report"]


@click.command()
@click.argument("data", type=click.Path())
@click.option("--target", metavar="COL", required=True, help="Column to predict.")
@with_options(COMPARING, OUTPUT, PREDICTIONS)
def compare(data: str, target: str, **options: Any) -> None:
    """Say which learner predicts a column of a table best, and how sure that is.

    DATA is a CSV, TSV, Parquet or Arrow file, also compressed by gzip or zstd. Every learner is
    measured on the same held-out rows, and a difference is reported only where it exceeds the noise.
    """
    _compare(data, target, options)


@click.command()
@with_options(DEMO, OUTPUT, PREDICTIONS)
def demo(**options: Any) -> None:
    """Compare learners on a small real table: the species of 344 penguins.

    Without --report the page is written to thetahat-demo.html.
    """
    options["page_path"] = options["page_path"] or "thetahat-demo.html"
    with as_file(files("thetahat.datasets") / "penguins.csv") as path:
        # The page says how to repeat it: not by a path inside this installation.
        _compare(
            str(path), "species", options, (f"compare {shlex.quote(str(path))} --target species", "demo")
        )


@click.command()
@click.argument("result", type=click.Path())
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), required=True, help="Write the HTML page here."
)
def report(result: str, output: str) -> None:
    """Draw the page of a saved RESULT (the JSON of compare) again; the data is not needed."""
    from thetahat.report import page
    from thetahat.results import comparison as record

    page.write(record.read(result), output)
    click.echo(f"Page: {output}")


def _compare(data: str, target: str, options: dict[str, Any], typed: tuple[str, str] = ("", "")) -> None:
    from thetahat.comparison.compare import compare as run
    from thetahat.report.terminal import show

    json_path, page_path, predictions_path, quiet = (
        options.pop(name) for name in ("json_path", "page_path", "predictions_path", "quiet")
    )
    if "checkpoint" in options:
        beside = json_path or page_path
        options["checkpoint"] = options["checkpoint"] or (beside and f"{beside}.checkpoint")
        if options["resume"] and not options["checkpoint"]:
            raise click.UsageError("--resume: name the --checkpoint, or the --json or --report it is beside")
    for path in filter(None, (json_path, page_path, predictions_path, options.get("checkpoint"))):
        check_folder(path)
    options["models"] = options["models"] or None
    options["kinds"] = options.get("kinds") or None
    options["na_values"] = options.get("na_values") or None
    # package.module:Class may be in the working directory, as with python -m.
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    with progress_bar(quiet) as progress:
        result = run(data, target, progress=progress, **options)
    came = result.record.provenance
    came = replace(came, command=came.command.replace(*typed, 1))
    result = replace(result, record=replace(result.record, provenance=came))
    if json_path:
        result.to_json(json_path)
    if page_path:
        result.to_html(page_path)
    if predictions_path:
        result.to_predictions(predictions_path)
    show(result.record, answers(), quiet=quiet, page=page_path)
    if result.record.partial and options.get("checkpoint") and not quiet:
        click.echo(f"To go on, the same command with --resume (kept in {options['checkpoint']})")
