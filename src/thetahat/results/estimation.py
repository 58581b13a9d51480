"""The saved form of a column's maximum-likelihood fit: plain records, JSON to the byte."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from thetahat.results.comparison import ProvenanceRecord

__all__ = ["EstimationRecord", "FamilyRecord", "ParameterRecord", "QuantileRecord", "encode"]

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class ParameterRecord:
    """A parameter; a field is ``None`` where the fit gives none."""

    name: str
    estimate: float | None
    standard_error: float | None
    low: float | None
    high: float | None
    profile_low: float | None
    profile_high: float | None


@dataclass(frozen=True, slots=True)
class FamilyRecord:
    """A family that was tried; ``behind`` is in nats a held-out row, against the best."""

    name: str
    fitted: str
    aic: float | None
    weight: float
    held_out: float | None
    held_out_se: float | None
    behind: float | None
    behind_se: float | None
    status: str


@dataclass(frozen=True, slots=True)
class QuantileRecord:
    """A quantile of the data against that of the distribution, with its pointwise band."""

    expected: float
    observed: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class EstimationRecord:
    """A column's fit."""

    schema_version: int
    kind: str
    data: str
    column: str
    rows: int
    missing: int
    sha256: str
    family: str
    fitted: str
    support: str
    status: str
    ok: bool
    detail: str
    errors: str
    level: float
    parameters: tuple[ParameterRecord, ...]
    log_likelihood: float | None
    aic: float | None
    aicc: float | None
    bic: float | None
    ranking: tuple[FamilyRecord, ...]
    quantiles: tuple[QuantileRecord, ...]
    inside: float | None
    sentence: str
    provenance: ProvenanceRecord


def encode(record: EstimationRecord) -> bytes:
    """Return the record as UTF-8 JSON, two spaces deep; equal records give equal bytes."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
