"""What a fitted kernel machine says of itself: margin, support vectors, and how good the solution is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["MachineDescription"]

HEADS = ("support vectors", "at bound", "margin", "violation", "steps")


@dataclass(frozen=True, slots=True)
class MachineDescription:
    """A kernel machine in figures, a row for each of its functions: one, or one a pair of classes.

    Parameters
    ----------
    names : tuple of str
        Which function: the pair of classes, or the kernel.
    support, bounded : tuple of int
        Support vectors, and those of them at their bound.
    margins : tuple of float
        2 / ‖f‖: how far the sheets f = ±1 are apart in the space of the kernel.
    violations : tuple of float
        Worst violation of the optimality conditions.
    steps : tuple of int
        Steps of the solver.
    rows : int
        Rows of the fit.
    duality_gap : float
        Primal less dual objective, over all functions.
    status : str
        How the fit ended.
    """

    names: tuple[str, ...]
    support: tuple[int, ...]
    bounded: tuple[int, ...]
    margins: tuple[float, ...]
    violations: tuple[float, ...]
    steps: tuple[int, ...]
    rows: int
    duality_gap: float
    status: str

    def table(self) -> dict[str, list[Any]]:
        """Return the columns: name, support vectors, at bound, margin, violation, steps."""
        columns = (self.names, self.support, self.bounded, self.margins, self.violations, self.steps)
        return dict(zip(("function", *HEADS), map(list, columns), strict=True))

    def __str__(self) -> str:
        """Return the table as text, and a sentence under it."""
        figures = zip(self.support, self.bounded, self.margins, self.violations, self.steps, strict=True)
        rows = [(f"{a:,}", f"{b:,}", f"{m:.4g}", f"{v:.2g}", f"{s:,}") for a, b, m, v, s in figures]
        first = max(map(len, self.names))
        widths = [max(len(head), *(len(row[k]) for row in rows)) for k, head in enumerate(HEADS)]
        lines = [" " * first + "".join(f"  {head:>{w}}" for head, w in zip(HEADS, widths, strict=True))]
        for name, row in zip(self.names, rows, strict=True):
            lines.append(
                f"{name:<{first}}" + "".join(f"  {x:>{w}}" for x, w in zip(row, widths, strict=True))
            )
        lines.append(f"{self.rows:,} rows; duality gap {self.duality_gap:.3g}; {self.status}")
        return "\n".join(lines)
