"""The saved form of a comparison: plain records, schema version 1, JSON to the byte.

The page, the terminal and the notebook draw from these records and nothing else, so a saved result
can be drawn again without the data. A field is ``None`` where the quantity does not exist (an
interval that no method offers) and never NaN.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from thetahat.errors import ResultFileError

__all__ = [
    "SCHEMA_VERSION",
    "ChoiceRecord",
    "ClassCount",
    "ColumnRecord",
    "ComparisonRecord",
    "DataRecord",
    "Estimate",
    "LeaderRecord",
    "MeasureRecord",
    "MeasuredRecord",
    "MetricRecord",
    "ModelRecord",
    "PairRecord",
    "Part",
    "PlanRecord",
    "ProvenanceRecord",
    "RowsRecord",
    "Score",
    "TaskRecord",
    "TuningRecord",
    "WarningRecord",
    "WhyRecord",
    "decode",
    "encode",
    "read",
]

SCHEMA_VERSION = 1
LARGEST_FILE = 64 * 2**20

Verdict = Literal["better", "worse", "equivalent", "undecided"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its error bar; ``method`` names the interval, ``n`` what it was computed over."""

    estimate: float
    se: float | None
    low: float | None
    high: float | None
    method: str


@dataclass(frozen=True, slots=True)
class Score:
    """A metric shown beside the loss; ``over`` says whether its interval is over folds or rows."""

    estimate: float | None
    se: float | None
    low: float | None
    high: float | None
    over: Literal["folds", "rows", "none"]
    higher_is_better: bool


@dataclass(frozen=True, slots=True)
class ColumnRecord:
    """One column of the table: what it holds and what became of it."""

    name: str
    kind: Literal["number", "category", "boolean", "date", "unknown"]
    role: Literal["feature", "target", "group", "time", "weight", "fold", "split", "excluded"]
    missing: int
    levels: int | None
    note: str


@dataclass(frozen=True, slots=True)
class DataRecord:
    """The table as it was used."""

    name: str
    rows: int
    rows_used: int
    columns: tuple[ColumnRecord, ...]
    missing_policy: Literal["impute", "drop", "error"]
    sha256: str


@dataclass(frozen=True, slots=True)
class ClassCount:
    """A class of the target and its rows."""

    label: str
    rows: int


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """What is predicted; ``classes`` is empty for a regression.

    ``positive`` is the class that a measure of two classes looks for, empty where no measure shown does.
    """

    kind: Literal["classification", "regression"]
    target: str
    classes: tuple[ClassCount, ...]
    why: str
    positive: str = ""


@dataclass(frozen=True, slots=True)
class MetricRecord:
    """The measure that a verdict rests on.

    ``shown_as`` is its form for people: "error rate" (a fraction), "RMSE" (the square root, in the
    target's unit), "log-loss" (nats per row), "AUC". ``note`` says how it was computed where that matters.
    ``of_set`` tells a value of a set of rows from a mean over rows; ``root`` that people are shown the square
    root of it, ``None`` in results of an earlier version; ``lowest`` and ``highest`` are the bounds of its
    form for people, ``None`` where it has none; ``of_positive`` that it depends on which class is positive.
    """

    name: str
    shown_as: str
    unit: str
    higher_is_better: bool = False
    note: str = ""
    of_set: bool = False
    root: bool | None = None
    lowest: float | None = None
    highest: float | None = None
    of_positive: bool = False


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """How rows were drawn; ``spec`` repeats it on a command line. ``own`` tells that the user drew them."""

    spec: str
    sentence: str
    why: str
    draws: int
    draws_planned: int
    mean_train_rows: float
    mean_test_rows: float
    own: bool = False


@dataclass(frozen=True, slots=True)
class ChoiceRecord:
    """Parameters that tuning chose, and in how many draws."""

    parameters: dict[str, str]
    draws: int


@dataclass(frozen=True, slots=True)
class TuningRecord:
    """How a candidate was tuned inside each training fold.

    ``edge`` is the share of draws in which the first or last value of a parameter was chosen, and
    ``seconds`` the mean time that the choice took, of ``fit_seconds``. Choices stand commonest first.
    """

    grid: dict[str, tuple[str, ...]]
    rule: Literal["best", "one-se"]
    folds: int
    choices: tuple[ChoiceRecord, ...]
    edge: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a difference of mean losses, with its interval where one can be given."""

    estimate: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class WhyRecord:
    """Why a model loses what it loses, in mean loss.

    Held-out loss = training loss + ``optimism``. Against the model that comes first, the excess of
    held-out loss is the excess of training loss (``from_training``: too little capacity, bias) plus
    the excess of optimism (``from_optimism``: too much for these rows, variance); both are ``None``
    for the first. ``sentence`` says what the numbers support and no more.
    """

    optimism: Part
    from_training: Part | None
    from_optimism: Part | None
    cause: Literal["bias", "variance", "both", "unclear", "none"]
    sentence: str


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """One candidate. ``shown`` is ``loss`` in the metric's own unit (RMSE for squared error)."""

    name: str
    description: str
    status: str
    ok: bool
    loss: Estimate | None
    shown: Estimate | None
    train_loss: float | None
    train_shown: float | None
    fit_seconds: float | None
    scores: dict[str, Score] = field(default_factory=dict)
    tuning: TuningRecord | None = None
    why: WhyRecord | None = None


@dataclass(frozen=True, slots=True)
class RowsRecord:
    """Rows of the table that would decide a pair, by learning curves; ``None`` is without limit."""

    rows: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class PairRecord:
    """Loss of a minus loss of b on the same held-out rows.

    ``verdict`` reads "a is … b"; ``textbook`` is the verdict of the rule that separate 95% intervals
    must not overlap. ``rows_to_decide`` is how many rows would decide if gap and spread stayed as
    they are, ``None`` where that cannot be said, and ``curve_rows`` the same from the learning curves of
    both, where asked for. ``other`` is the verdict of the other interval for
    pairs; the last three are posterior probabilities of the Bayesian correlated t, where asked for.
    """

    a: str
    b: str
    difference: float
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    verdict: Verdict
    textbook: Verdict
    rows_to_decide: int | None
    other: Verdict | None = None
    p_better: float | None = None
    p_equivalent: float | None = None
    p_worse: float | None = None
    curve_rows: RowsRecord | None = None


@dataclass(frozen=True, slots=True)
class MeasuredRecord:
    """One model by a further measure; ``shown`` and ``train_shown`` are in the measure's own unit.

    ``reason`` says why there is no estimate.
    """

    name: str
    estimate: Estimate | None
    shown: Estimate | None
    train_shown: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MeasureRecord:
    """A further measure that was asked for, with its own estimates, pairs and verdict, best model first."""

    metric: MetricRecord
    models: tuple[MeasuredRecord, ...]
    pairs: tuple[PairRecord, ...]
    verdict: str
    winner: str | None


@dataclass(frozen=True, slots=True)
class LeaderRecord:
    """The leader's loss corrected for having been chosen, in the metric's own unit.

    ``naive`` is the loss it was chosen by; ``among`` is how many models it was chosen from.
    """

    name: str
    naive: float
    estimate: float
    low: float
    high: float
    among: int
    method: str


@dataclass(frozen=True, slots=True)
class WarningRecord:
    """Something the reader must know; ``code`` is TH1xx, or empty for what has none."""

    code: str
    severity: Literal["warning", "notice"]
    place: str
    cause: str
    cure: str


@dataclass(frozen=True, slots=True)
class ProvenanceRecord:
    """Where the result comes from; ``created`` and ``seconds`` alone differ between equal runs."""

    created: str
    seconds: float
    seed: int
    command: str
    python: str
    platform: str
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class ComparisonRecord:
    """A whole comparison. Models stand best first, the ones without a result last."""

    schema_version: int
    data: DataRecord
    task: TaskRecord
    metric: MetricRecord
    plan: PlanRecord
    interval: str
    interval_covers: str
    level: float
    margin: float | None
    correction: Literal["holm", "none"]
    baseline: str
    models: tuple[ModelRecord, ...]
    pairs: tuple[PairRecord, ...]
    verdict: str
    would_change: str
    winner: str | None
    partial: str
    warnings: tuple[WarningRecord, ...]
    provenance: ProvenanceRecord
    pair_interval: str = ""
    other_pair_interval: str = ""
    leader: LeaderRecord | None = None
    measures: tuple[MeasureRecord, ...] = ()
    weight: str = ""


def encode(record: ComparisonRecord) -> bytes:
    """Return the record as UTF-8 JSON, two spaces deep; equal records give equal bytes."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def decode(content: bytes) -> ComparisonRecord:
    """Read a record from JSON.

    Raises
    ------
    ResultFileError
        The content is not JSON, not a comparison, or of another schema version.
    """
    try:
        version = msgspec.json.decode(content, type=_Version).schema_version
        if version != SCHEMA_VERSION:
            raise ResultFileError(
                f"this result has schema_version {version}, and this thetahat reads {SCHEMA_VERSION}; "
                "read it with the version that wrote it"
            )
        return msgspec.json.decode(content, type=ComparisonRecord)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ResultFileError(f"not a saved comparison: {error}") from None


def read(path: str | os.PathLike[str]) -> ComparisonRecord:
    """Read a record from a file.

    Raises
    ------
    ResultFileError
        The file cannot be read, is larger than any comparison, or :func:`decode` refuses it.
    """
    source = Path(path)
    try:
        if source.stat().st_size > LARGEST_FILE:
            raise ResultFileError(f"{source}: too large to be a saved comparison")
        content = source.read_bytes()
    except OSError as error:
        raise ResultFileError(f"{source}: {error.strerror}") from None
    try:
        return decode(content)
    except ResultFileError as error:
        raise ResultFileError(f"{source}: {error}") from None


class _Version(msgspec.Struct):
    schema_version: int
