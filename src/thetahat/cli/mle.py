"""``thetahat mle``."""

from __future__ import annotations

from typing import Any

import rich_click as click

from thetahat.cli.console import answers, check_folder
from thetahat.cli.options import OUTPUT, READING, with_options

__all__ = ["mle"]


@click.command()
@click.argument("data", type=click.Path())
@click.option("--column", metavar="COL", required=True, help="Column of numbers.")
@click.option(
    "--family",
    metavar="NAME",
    default="auto",
    show_default=True,
    help="normal, lognormal, laplace, student-t, uniform, exponential, gamma, weibull, beta, bernoulli, "
    "poisson, negative-binomial; auto ranks those that can hold the column.",
)
@click.option(
    "--errors",
    type=click.Choice(["observed", "expected", "sandwich"]),
    default="observed",
    show_default=True,
    help="Standard errors from the observed or expected information, or the sandwich of both.",
)
@click.option("--level", type=float, default=0.95, show_default=True, help="Level of the intervals.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the held-out folds.")
@with_options(READING, OUTPUT)
def mle(data: str, column: str, **options: Any) -> None:
    """Fit a distribution to a column of a table by maximum likelihood, with its errors.

    DATA is a CSV, TSV, Parquet or Arrow file, also compressed by gzip or zstd.
    """
    from thetahat.estimation.column import estimate_column
    from thetahat.report.estimation import show, write
    from thetahat.results.estimation import encode
    from thetahat.results.saving import replace_file

    json_path, page_path, quiet = (options.pop(name) for name in ("json_path", "page_path", "quiet"))
    for path in filter(None, (json_path, page_path)):
        check_folder(path)
    options["na_values"] = options["na_values"] or None
    found = estimate_column(data, column, **options)
    if json_path:
        replace_file(json_path, encode(found.record))
    if page_path:
        write(found.record, page_path)
    show(found.record, answers(), quiet=quiet, page=page_path)
