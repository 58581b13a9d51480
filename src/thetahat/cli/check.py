"""``thetahat check``: the data checks alone."""

from __future__ import annotations

from typing import Any

import rich_click as click

from thetahat.cli.console import complain
from thetahat.cli.options import TABLE, with_options
from thetahat.errors import DataError

__all__ = ["check"]


@click.command()
@click.argument("data", type=click.Path())
@click.option("--target", metavar="COL", required=True, help="Column to predict.")
@with_options(TABLE)
def check(
    data: str,
    target: str,
    sep: str | None,
    encoding: str | None,
    na_values: tuple[str, ...],
    decimal: str | None,
    thousands: str | None,
    kinds: tuple[str, ...],
    strict: bool,
    **options: Any,
) -> None:
    """Check a table before comparing on it: every problem found, in one go.

    Exit status 2 where a problem stops a comparison, 0 otherwise.
    """
    from thetahat.comparison.checks import examine
    from thetahat.tables import read
    from thetahat.tables.kinds import asked_kinds, with_kinds

    try:
        table = read(
            data,
            sep=sep,
            encoding=encoding,
            na_values=na_values or None,
            decimal=decimal,
            thousands=thousands,
        )
        table = with_kinds(table, asked_kinds(kinds), target)
        found = examine(table, target, **options)
        problems, stops = found.problems, bool(found.errors or (strict and found.warnings))
    except DataError as error:
        problems, stops = error.problems, True
    if stops:
        complain(problems)
        raise SystemExit(2)
    for problem in problems:
        click.echo(f"{problem.severity.value}: {problem}")
    rows, columns = table.frame.shape
    said = "Nothing found" if not problems else "Nothing that stops a comparison"
    click.echo(f"{said}: {rows} rows, {columns} columns, target {target} ({_task(found)}).")


def _task(found: Any) -> str:
    return f"{found.schema.task}: {found.schema.why}"
