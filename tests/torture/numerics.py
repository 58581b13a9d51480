"""Arithmetic: log-space functions, cancellation, rank, and what must hold by theory."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf, log10

import numpy as np
from numpy.random import Generator
from threadpoolctl import threadpool_limits

from tests.certified import LINEAR
from tests.torture import cancellation, deficient, densities, log_domain, relations
from tests.torture.record import Peer, Record
from tests.torture.trials import Part, Trial

TITLE = "Numerical accuracy"
CLAIM = (
    "Functions of the log domain, likelihoods and their slopes at logits of ±10⁴ and beyond, in float32 "
    "and float64, against 60 digits; spreads of data whose offset is 10⁸ to 10¹⁵ times their spread, and "
    "least squares far from 0 and nearly singular, against exact and certified answers; designs without "
    "full rank; and what must hold by theory between two fits of every learner. A fault is an error "
    "beyond its bound (roundings of the terms, the condition number, the tolerance of the solver) from a "
    "result that does not say so, a NaN where there is a finite answer, or a number where nothing is "
    "identified. A peer is held to the bound of ours, in the cases it has a counterpart for, as it comes: "
    "LinearRegression of scikit-learn 1.9 leaves out directions below its tol of 1e-6, and keeps about the "
    "digits of SciPy where tol is 1e-12."
)
NOT_COVERED = (
    "slopes of a network's hidden units, which are good to the rounding of their largest value; special "
    "functions far outside the domains of `tests/laws`; probabilities of kernel machines far out; tables "
    "of more than 50 rows or 7 columns."
)
SHORT, LONG = 500, 10_000


def parts() -> dict[str, Part]:
    """Return the rows of the table, each with what draws its cases."""
    return {
        **log_domain.PARTS,
        **densities.PARTS,
        **cancellation.PARTS,
        **deficient.PARTS,
        **relations.PARTS,
    }


@dataclass(slots=True)
class Tally:
    """What the cases of one part showed."""

    part: Part
    cases: int = 0
    said: int = 0
    crashes: int = 0
    faults: int = 0
    worst: float = 0.0
    nearest: float = 0.0
    peers: dict[str, list[float]] = field(default_factory=dict)

    def add(self, trial: Trial) -> None:
        """Count a trial."""
        self.cases += 1
        self.said += trial.said
        self.faults += trial.fault
        if not trial.said:
            error = trial.error if trial.error == trial.error else inf
            self.worst = max(self.worst, error)
            self.nearest = max(self.nearest, error / trial.allowed)
        for name, error in trial.peers.items():
            count = self.peers.setdefault(name, [0, 0, 0.0])
            count[0] += 1
            count[1] += trial.beyond(error)
            count[2] = max(count[2], error if error == error else inf)

    def shown(self, error: float) -> str:
        """Return an error in the part's unit."""
        if self.part.unit == "digits":
            return f"{max(0.0, min(16.0, -log10(max(error, 1e-16)))):.1f} digits"
        return f"{error:.2g} {self.part.unit}" if error < inf else "not finite"

    def row(self) -> list[str]:
        """Return the part's row of the table."""
        beyond = [f"{name} {bad:,.0f} of {cases:,.0f}" for name, (cases, bad, _) in self.peers.items()]
        return [
            f"{self.cases:,}",
            f"{self.said:,}",
            self.shown(self.worst),
            f"{self.nearest:.2g}",
            f"{self.faults + self.crashes:,}",
            ", ".join(beyond) or "–",
        ]


def turns(known: Mapping[str, Part], cases: int) -> Iterable[str]:
    """Return whose turn each case is, in proportion to the shares."""
    order = [
        name for k in range(max(p.share for p in known.values())) for name, p in known.items() if k < p.share
    ]
    return (order[number % len(order)] for number in range(cases))


def run(cases: int, rng: Generator, known: Mapping[str, Part] | None = None) -> Record:
    """Draw that many cases, each from a generator of its own."""
    known = parts() if known is None else known
    tallies = {name: Tally(part) for name, part in known.items()}
    findings: list[str] = []
    seed = int(rng.integers(2**31))
    # Tables of a few rows are no work for threads.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, name in enumerate(turns(known, cases)):
            findings += _tried(name, tallies[name], seed, number)
    counted = {name: tally for name, tally in tallies.items() if tally.cases}
    return Record(
        cases,
        crashes=sum(tally.crashes for tally in counted.values()),
        dishonest=sum(tally.faults for tally in counted.values()),
        heads=("part", "cases", "said", "worst error", "of its bound", "faults", "peers beyond the bound"),
        parts={name: tally.row() for name, tally in counted.items()},
        findings=findings,
        peers=_peers(counted.values()),
        notes=_digits() if cases >= LONG else (),
    )


def _tried(name: str, tally: Tally, seed: int, number: int) -> list[str]:
    """Draw a case, count it, and return what to say of it."""
    case = f"{name}, case [{seed}, {number}]"
    try:
        trial = tally.part.draw(np.random.default_rng([seed, number]))
    except Exception:
        tally.cases += 1
        tally.crashes += 1
        return [f"{case}: {traceback.format_exc(limit=-2)}"]
    tally.add(trial)
    return [f"{case}: {trial.what}: {trial.error:.3g}, allowed {trial.allowed:.3g}"] if trial.fault else []


def _peers(tallies: Iterable[Tally]) -> list[Peer]:
    total: dict[str, list[int]] = {}
    for tally in tallies:
        for name, (cases, bad, _) in tally.peers.items():
            count = total.setdefault(name, [0, 0])
            count[0] += int(cases)
            count[1] += int(bad)
    return [Peer(name, cases, dishonest=bad) for name, (cases, bad) in sorted(total.items())]


def _digits() -> list[str]:
    """Return the digits kept on the certified sets as they are."""
    solvers = ("thetahat", *cancellation.PEERS)
    lines = [["certified set", *solvers], ["---", *["---:"] * len(solvers)]]
    for name in LINEAR:
        cells = [name]
        for solver in solvers:
            of_coef, of_errors = cancellation.kept(name, solver)
            cells.append(f"{of_coef:.1f}" + ("" if np.isnan(of_errors) else f" / {of_errors:.1f}"))
        lines.append(cells)
    return [
        "Said: a status, a warning or a refusal; of its bound: the largest share of what was allowed. A peer "
        "that warns is not counted; scikit-learn is where the logarithm of a probability is −∞ at finite "
        "logits.",
        "Fewest digits kept of the coefficients / of the standard errors (log relative error, at most 16):",
        "\n".join("| " + " | ".join(line) + " |" for line in lines),
    ]
