"""The quantile plot of a fitted distribution, for the page."""

from __future__ import annotations

from thetahat.report.drawing import ACCENT, BAND, FAINT, Picture, new_axes, to_svg
from thetahat.results.estimation import EstimationRecord

__all__ = ["quantile_picture"]


def quantile_picture(record: EstimationRecord) -> Picture:
    """Return the picture of the data's quantiles against the distribution's, for both widths."""
    share = 100 * (record.inside or 0.0)
    finding = f"{share:.0f} % of the quantiles of {record.column} lie in their {100 * record.level:g} % band"
    return Picture.of(finding, lambda width, narrow: _draw(record, finding, width, narrow))


def _draw(record: EstimationRecord, finding: str, width: float, narrow: bool) -> str:
    q = record.quantiles
    with new_axes(width, 0.9 * width if narrow else 0.5 * width, left=64, right=14) as (figure, ax):
        expected = [each.expected for each in q]
        ax.fill_between(expected, [e.low for e in q], [e.high for e in q], color=BAND, linewidth=0)
        ends = [min(expected[0], q[0].observed), max(expected[-1], q[-1].observed)]
        ax.plot(ends, ends, color=FAINT, linewidth=1)
        ax.plot(expected, [each.observed for each in q], "o", color=ACCENT, markersize=3)
        ax.set_xlabel(f"quantile of {record.family}", parse_math=False)
        ax.set_ylabel("quantile of the data", parse_math=False)
        return to_svg(figure, finding)
