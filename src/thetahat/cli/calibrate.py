"""``thetahat calibrate``."""

from __future__ import annotations

from typing import Any

import rich_click as click

from thetahat.cli.console import answers, progress_bar
from thetahat.cli.options import KINDS, RARE, READING, TARGET_ROWS, with_options

__all__ = ["calibrate"]


@click.command()
@click.argument("data", type=click.Path())
@click.option("--target", metavar="COL", required=True, help="Column to predict.")
@click.option(
    "--interval",
    metavar="METHOD",
    default="auto",
    show_default=True,
    help="corrected-t, clt, clt-within, nested, conservative-z, holdout or plain.",
)
@click.option(
    "--resampling", metavar="PLAN", default="auto", show_default=True, help="holdout:F, cv:K, cv:RxK or loo."
)
@click.option("--level", type=float, default=0.95, show_default=True, help="Level of the interval.")
@click.option("--runs", type=int, default=200, show_default=True, help="Simulated tables.")
@click.option("--rows", type=int, help="Rows of each; as many as the table has by default.")
@click.option("--drop", metavar="COL", multiple=True, help="Column to leave out. Several.")
@with_options(KINDS, TARGET_ROWS, RARE, READING)
@click.option(
    "-j", "--jobs", type=int, default=1, show_default=True, help="Worker processes; -1 is one a processor."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all randomness.")
def calibrate(data: str, target: str, **options: Any) -> None:
    """Say whether an interval can be trusted at the size of a table: its coverage on simulated ones.

    Rows of DATA are drawn with replacement and given new targets by a linear or logistic model fitted to
    it, so that the error of every fit is known.
    """
    from thetahat.comparison.calibrate import calibrate as run

    options["na_values"] = options["na_values"] or None
    with progress_bar(False) as progress:
        found = run(data, target, progress=progress, **options)
    console = answers()
    console.print(found.sentence, style="bold")
    console.print(
        f"Learner {found.model} on {found.plan}; mean error {found.error:.4g} ({found.loss}), median width "
        f"{found.width:.4g}.",
        style="dim",
    )
