"""The names of the measures, without the libraries that compute them: for help texts."""

from __future__ import annotations

__all__ = ["NAMES", "listed_names"]

NAMES = {
    "classification": (
        "error",
        "log-loss",
        "brier",
        "auc",
        "average-precision",
        "f1",
        "f1-macro",
        "f1-weighted",
        "balanced-accuracy",
        "mcc",
        "kappa",
        "cost",
    ),
    "regression": (
        "squared-error",
        "absolute-error",
        "r2",
        "pinball:Q",
        "poisson-deviance",
        "gamma-deviance",
        "squared-log-error",
        "mape",
    ),
}


def listed_names() -> str:
    """Return all names."""
    return ", ".join(name for names in NAMES.values() for name in names)
