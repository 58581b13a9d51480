"""What to break under each statement: if the library function were wrong, the verdict would be another."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace


def break_it(monkeypatch, place, make):
    """Put ``make(original)`` wherever the package holds the function or method of this place."""
    module, name = place.split(":")
    owner = importlib.import_module(module)
    *outer, last = name.split(".")
    for part in outer:
        owner = getattr(owner, part)
    original = getattr(owner, last)
    broken = make(original)
    monkeypatch.setattr(owner, last, broken)
    if outer:
        return
    for known in [m for key, m in sys.modules.items() if key.split(".")[0] == "thetahat" and m is not None]:
        for attribute, value in list(vars(known).items()):
            if value is original:
                monkeypatch.setattr(known, attribute, broken)


def assessed(**changes):
    """Break ``assess``: each change takes the assessment to the wrong value of a field."""

    def make(original):
        def broken(*args, **kwargs):
            found = original(*args, **kwargs)
            return replace(found, **{name: change(found) for name, change in changes.items()})

        return broken

    return make


def scaled(factor):
    """Break a function of numbers by a factor."""
    return lambda original: lambda *args, **kwargs: factor * original(*args, **kwargs)


BREAKS = {
    "point-estimate": assessed(bias=lambda a: a.bias + 1),
    "outside-the-parameters": assessed(bias=lambda a: a.bias + 0.5),
    "bias": assessed(bias=lambda a: a.bias + 0.5),
    "sample-variance": assessed(bias=lambda a: 0 * a.bias),
    "asymptotic-unbiasedness": assessed(bias=lambda a: a.bias - 0.1),
    "standard-error": assessed(se=lambda a: a.se**2),
    "confidence-interval": assessed(coverage=lambda a: a.coverage - 0.05),
    "better-by-intervals": lambda original: (
        lambda losses, rule: tuple(replace(pair, verdict=pair.textbook) for pair in original(losses, rule))
    ),
    "consistency": assessed(bias=lambda a: 0 * a.bias + 0.4),
    "first-example": assessed(bias=lambda a: a.bias + 1),
    "consistency-and-bias": assessed(bias=lambda a: 0 * a.bias),
    "almost-surely": lambda original: lambda self, size=None, *, rng: 0 * original(self, size, rng=rng),
    "small-holdout": lambda original: lambda e, s, draws, f, **k: original(e, s, draws[:1], f, **k),
}
