"""``thetahat fit`` and ``predict``."""

from __future__ import annotations

from typing import Any

import rich_click as click

from thetahat.cli.console import check_folder
from thetahat.cli.options import READING, with_options

__all__ = ["fit", "predict"]


@click.command()
@click.argument("data", type=click.Path())
@click.option("--target", metavar="COL", help="Column to explain; a formula names it itself.")
@click.option(
    "--model",
    default="linear",
    show_default=True,
    help='linear, logistic or poisson on all other columns, or a formula: "y ~ a + C(b)".',
)
@click.option("--drop", metavar="COL", multiple=True, help="Column to leave out. Several: --drop A --drop B.")
@click.option(
    "--errors",
    type=click.Choice(["observed", "expected", "HC0", "HC1", "HC2", "HC3"]),
    default="observed",
    show_default=True,
    help="Standard errors from the information, or the sandwich that holds under unequal variances.",
)
@click.option("--level", type=float, default=0.95, show_default=True, help="Level of the intervals.")
@with_options(READING)
@click.option(
    "--save", "model_path", type=click.Path(dir_okay=False), help="Save the model here, for predict."
)
def fit(data: str, level: float, model_path: str | None, **options: Any) -> None:
    """Fit a regression to a table by maximum likelihood and print its coefficient table.

    Numbers enter as they are, categories by their levels against the first; rows with a missing value are
    left out. A formula may call functions: take it from people you trust.
    """
    from thetahat.estimation.regression import fit_table

    if model_path:
        check_folder(model_path)
    options["na_values"] = options["na_values"] or None
    found = fit_table(data, **options)
    if model_path:
        found.save(model_path)
    click.echo(found.summary(level))
    if model_path:
        click.echo(f"Model: {model_path}")


@click.command()
@click.argument("model", type=click.Path())
@click.argument("data", type=click.Path())
@click.option("--level", type=float, default=0.95, show_default=True, help="Level of the intervals.")
@with_options(READING)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write CSV here; stdout otherwise.")
def predict(model: str, data: str, level: float, output: str | None, **options: Any) -> None:
    """Predict the rows of the table DATA by a saved MODEL, with intervals, as CSV."""
    from thetahat.estimation.regression import load_fit, predict_table
    from thetahat.results.saving import replace_file

    if output:
        check_folder(output)
    options["na_values"] = options["na_values"] or None
    found = predict_table(load_fit(model), data, level, **options)
    if output:
        replace_file(output, found.write_csv().encode())
    else:
        click.echo(found.write_csv(), nl=False)
