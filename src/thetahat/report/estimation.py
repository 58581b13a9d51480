"""A column's fit on the terminal and as a page."""

from __future__ import annotations

import base64
import os

from rich.console import Console
from rich.table import Table
from rich.text import Text

from thetahat.display import numbers
from thetahat.report.intervals import IntervalPlot, Row
from thetahat.report.page import environment, picture
from thetahat.report.quantiles import quantile_picture
from thetahat.results.estimation import EstimationRecord, encode
from thetahat.results.saving import replace_file

__all__ = ["render", "show", "write"]

WIDEST = 100


def show(record: EstimationRecord, console: Console, *, quiet: bool = False, page: str | None = None) -> None:
    """Print a column's fit.

    Parameters
    ----------
    record : EstimationRecord
        What to print.
    console : Console
        Where to.
    quiet : bool
        Whether to print the sentence alone.
    page : str, optional
        Where the page is.
    """
    width = min(console.width, WIDEST)
    if not quiet:
        if record.ranking:
            console.print(_ranking(record), width=width)
            console.print()
        console.print(_parameters(record), width=width)
        console.print()
    console.print(Text(record.sentence), style="bold", width=width)
    if not quiet:
        if not record.ok:
            detail = f" ({record.detail})" if record.detail else ""
            console.print(Text(f"No standard errors: {record.status}{detail}."), width=width)
        missing = f"; {numbers.count(record.missing)} missing values left out" if record.missing else ""
        said = (
            f"{numbers.count(record.rows)} rows{missing}. "
            f"Log-likelihood {numbers.number(record.log_likelihood, 2)}, "
            f"AIC {numbers.number(record.aic, 2)}. Errors: {record.errors} information. "
        )
        if record.inside is not None:
            said += (
                f"{100 * record.inside:.0f} % of the quantiles lie in their {100 * record.level:g} % band."
            )
        console.print(Text(said), style="dim", width=width)
    if page:
        console.print(Text(f"Page: {page}", overflow="fold"), width=width)


def _ranking(record: EstimationRecord) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("family", no_wrap=True)
    for head in ("AIC", "weight", "held out, nats a row", "behind the best"):
        table.add_column(head, justify="right", no_wrap=True)
    for family in record.ranking:
        table.add_row(
            family.name,
            numbers.number(family.aic, 1),
            f"{family.weight:.3f}",
            numbers.MISSING
            if family.held_out is None
            else numbers.with_error(family.held_out, family.held_out_se),
            numbers.MISSING if family.behind is None else numbers.with_error(family.behind, family.behind_se),
        )
    return table


def _parameters(record: EstimationRecord) -> Table:
    percent = f"{100 * record.level:g} %"
    table = Table(box=None, pad_edge=False)
    table.add_column(record.family, no_wrap=True)
    for head in ("estimate ± SE", f"{percent} Wald interval", f"{percent} profile interval"):
        table.add_column(head, justify="right", no_wrap=True)
    for p in record.parameters:
        table.add_row(
            p.name,
            numbers.MISSING if p.estimate is None else numbers.with_error(p.estimate, p.standard_error),
            numbers.interval(p.low, p.high, p.standard_error),
            numbers.interval(p.profile_low, p.profile_high, p.standard_error),
        )
    return table


def render(record: EstimationRecord) -> str:
    """Return the page of a column's fit.

    Parameters
    ----------
    record : EstimationRecord
        What to show; its names come from a stranger's table and are escaped.
    """
    template = environment().get_template("estimation.html.j2")
    ranked = _ranking_plot(record)
    return template.render(
        record=record,
        ranking=None if ranked is None else picture(ranked),
        against=quantile_picture(record) if record.quantiles else None,
        json=base64.b64encode(encode(record)).decode(),
    )


def _ranking_plot(record: EstimationRecord) -> IntervalPlot | None:
    shown = [f for f in record.ranking if f.behind is not None and f.behind_se is not None]
    if len(shown) < 2:
        return None
    shown.sort(key=lambda f: f.behind or 0.0)
    rows = [
        Row(
            f.name,
            f.behind or 0.0,
            (f.behind or 0.0) - 2 * (f.behind_se or 0.0),
            (f.behind or 0.0) + 2 * (f.behind_se or 0.0),
            numbers.with_error(f.behind or 0.0, f.behind_se or None),
            place == 0,
        )
        for place, f in enumerate(shown)
    ]
    far = [f.name for f in shown if (f.behind or 0.0) > 2 * (f.behind_se or 0.0)]
    finding = (
        f"{len(far)} of {len(shown)} families are clearly behind {shown[0].name} on held-out rows"
        if far
        else f"No family is clearly behind {shown[0].name} on held-out rows"
    )
    return IntervalPlot(
        rows, "behind the best, nats a held-out row (right is worse)", finding, line=(0.0, "best")
    )


def write(record: EstimationRecord, path: str | os.PathLike[str]) -> None:
    """Write the page, whole or not at all.

    Raises
    ------
    UsageError
        The file cannot be written.
    """
    replace_file(path, render(record).encode())
