"""``thetahat fit`` and ``predict``."""

from __future__ import annotations

from typing import Any

import rich_click as click

from thetahat.cli.console import check_folder, notices
from thetahat.cli.options import KINDS, READING, READING_NAMES, TARGET_ROWS, with_options

__all__ = ["fit", "predict"]


STREAMED = (
    "checkpoint",
    "resume",
    "batch_size",
    "epochs",
    "memory",
    "time_limit",
    "missing",
    "weight",
    "seed",
)
STREAMING = (
    click.option("--stream", is_flag=True, help="Read the table in batches; it need not fit in memory."),
    click.option(
        "--checkpoint",
        type=click.Path(dir_okay=False),
        help="Keep the state of a streamed fit here while it runs.",
    ),
    click.option("--resume", is_flag=True, help="Go on from the checkpoint, to the same bits."),
    click.option("--batch-size", type=int, default=32, show_default=True, help="Rows of a step."),
    click.option("--epochs", type=int, default=5, show_default=True, help="Times through the rows."),
    click.option(
        "--memory", type=float, default=64.0, show_default=True, metavar="MB", help="Rows held at a time."
    ),
    click.option("--time-limit", type=float, metavar="SECONDS", help="Stop a streamed fit after so long."),
    click.option(
        "--missing",
        type=click.Choice(["drop", "mean", "error"]),
        default="drop",
        show_default=True,
        help="Rows with a missing value in a stream: left out, numbers filled by their mean, or refused.",
    ),
    click.option("--weight", metavar="COL", help="Column of the weights of a stream's rows."),
    click.option("--seed", type=int, default=0, show_default=True, help="Of the order of a stream's rows."),
)


@click.command()
@click.argument("data", type=click.Path())
@click.option("--target", metavar="COL", help="Column to explain; a formula names it itself.")
@click.option(
    "--model",
    default="linear",
    show_default=True,
    help='linear, logistic or poisson on all other columns, or a formula: "y ~ a + C(b)"; with --stream '
    "sgd-linear, sgd-logistic, sgd-softmax, sgd-poisson or sgd-hinge.",
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
@with_options(KINDS, TARGET_ROWS, READING)
@click.option(
    "--save", "model_path", type=click.Path(dir_okay=False), help="Save the model here, for predict."
)
@with_options(STREAMING)
def fit(data: str, level: float, model_path: str | None, stream: bool, **options: Any) -> None:
    """Fit a regression to a table by maximum likelihood and print its coefficient table.

    Numbers enter as they are, categories by their levels against the first; rows with a missing value are
    left out. A formula may call functions: take it from people you trust.

    With --stream the table is read in batches and need not fit in memory; DATA may be a glob.
    """
    if model_path:
        check_folder(model_path)
    streaming = {name: options.pop(name) for name in STREAMED}
    if stream or options["model"].startswith("sgd-"):
        _stream(data, model_path, level, options, streaming)
        return
    from thetahat.estimation.regression import fit_table

    named = [name for name in STREAMED if _given(name)]
    if named:
        raise click.UsageError(f"--{named[0].replace('_', '-')} is for --stream")
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
@click.option(
    "--trusted",
    metavar="TYPE",
    multiple=True,
    help="A type that a file of scikit-learn's estimators may hold; the refusal names those to look at.",
)
@with_options(READING)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write CSV here; stdout otherwise.")
def predict(
    model: str, data: str, level: float, trusted: tuple[str, ...], output: str | None, **options: Any
) -> None:
    """Predict the rows of the table DATA by a saved MODEL, with intervals where it has any, as CSV.

    MODEL is what fit --save or th.save wrote: of a regression, of any learner, or of a scikit-learn
    estimator. Loading runs no code.

    A row with a missing value, or with a category that the fit has not seen, has no prediction; a notice
    names such categories.

    A model of --stream reads DATA, a file or a glob, in batches, and writes Parquet where the name says so.
    """
    from thetahat.estimation.prediction import predict_rows
    from thetahat.estimation.regression import TableFit, predict_table
    from thetahat.estimation.saving import load
    from thetahat.estimation.stream_model import StreamFit
    from thetahat.results.saving import replace_file

    if output:
        check_folder(output)
    found = load(model, trusted=trusted)
    if isinstance(found, StreamFit):
        from thetahat.cli.streamed import predict_streamed

        _refuse_reading(options)
        with notices():
            predict_streamed(found, data, level, output)
        return
    options["na_values"] = options["na_values"] or None
    if isinstance(found, TableFit):
        with notices():
            predicted = predict_table(found, data, level, **options)
    else:
        predicted = predict_rows(found, data, **options)
    if output:
        replace_file(output, predicted.write_csv().encode())
    else:
        click.echo(predicted.write_csv(), nl=False)


def _stream(
    data: str, model_path: str | None, level: float, options: dict[str, Any], streaming: dict[str, Any]
) -> None:
    from thetahat.cli.streamed import fit_streamed

    if streaming["checkpoint"]:
        check_folder(streaming["checkpoint"])
    if not options["target"]:
        raise click.UsageError("--target: name the column to explain")
    if not options["model"].startswith("sgd-"):
        raise click.UsageError(f"--model {options['model']} does not stream; take sgd-{options['model']}")
    _refuse_reading(options)
    if _given("missing_target"):
        raise click.UsageError(
            "--missing-target: a stream leaves out rows without a target; use --missing error"
        )
    if _given("errors"):
        raise click.UsageError("--errors: a streamed fit has the sandwich of its scores (HC0) only")
    chosen = {name: options[name] for name in ("target", "model", "drop", "kinds")}
    fit_streamed(data, model_path, level, **chosen, **streaming)


def _refuse_reading(options: dict[str, Any]) -> None:
    for name in READING_NAMES:
        if options[name]:
            raise click.UsageError(
                f"--{name.replace('_', '-')}: streams take UTF-8 with commas (tabs in .tsv); convert it"
            )


def _given(name: str) -> bool:
    context = click.get_current_context()
    source = None if context is None else context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
