"""What to break under each statement: if the library function were wrong, the verdict would be another."""

from __future__ import annotations

import importlib
import sys
import time
from dataclasses import replace
from itertools import count

import numpy as np


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


def likelihood(**changes):
    """Break ``mle``: each change takes the fit to the wrong value of a field."""

    def make(original):
        def broken(*args, **kwargs):
            found = original(*args, **kwargs)
            return replace(found, **{name: change(found) for name, change in changes.items()})

        return broken

    return make


def gradient(change):
    """Break ``grad`` or ``jacobian``: the derivative is changed on its way out."""
    return lambda original: lambda f, *which: lambda *x, **k: change(np.asarray(original(f, *which)(*x, **k)))


def terms(**changes):
    """Break ``nll_terms`` of an output family."""

    def make(original):
        def broken(self, y, eta, /):
            found = original(self, y, eta)
            return replace(found, **{name: change(getattr(found, name)) for name, change in changes.items()})

        return broken

    return make


def divergence(change):
    """Break a divergence: its value is changed."""
    return lambda original: lambda *a, **k: (lambda d: replace(d, value=change(d.value)))(original(*a, **k))


def slow(seconds):
    """Break a method that should be fast."""

    def make(original):
        def broken(self, *args):
            began = time.process_time()
            while time.process_time() - began < seconds:
                pass
            return original(self, *args)

        return broken

    return make


def split_wrongly(original):
    """Swap bias² and variance."""

    def broken(*args, **kwargs):
        found = original(*args, **kwargs)
        names = list(found.terms)
        turned = dict(zip(names, reversed([found.terms[name] for name in names]), strict=True))
        return replace(found, terms=turned)

    return broken


def all_support(original):
    """Let every row be a support vector."""

    def broken(self, X, y, sample_weight=None):
        original(self, X, y, sample_weight)
        self.support_ = np.arange(len(X))
        return self

    return broken


def linear_only(original):
    """Fit a linear machine whatever the kernel."""

    def broken(self, X, y, sample_weight=None):
        self.kernel = "linear"
        return original(self, X, y, sample_weight)

    return broken


def unsorted(model):
    """Turn the directions of one solver round."""
    if model.svd_solver == "full":
        model.components_ = model.components_[::-1]
    return model


def penalised(original):
    """Let maximum likelihood be penalised, so that separable data have a minimum."""

    def broken(self, X, y, sample_weight=None):
        self.C = 1.0
        return original(self, X, y, sample_weight)

    return broken


def laden(original):
    """Take steps that look at every row of the table that theirs are a part of."""

    def broken(self, X, y):
        for _ in range(50):
            np.sum((X if X.base is None else X.base) ** 2)
        return original(self, X, y)

    return broken


def crawling(original):
    """Take steps of nearly no length."""

    def broken(self, X, y):
        return original(self.set_params(eta0=1e-12), X, y)

    return broken


def standing_still(original):
    """Train with a rate of nearly nothing."""

    def broken(problem, optimiser, **kwargs):
        executor = original(problem, replace(optimiser, learning_rate=1e-12), **kwargs)
        run = executor.run
        executor.run = lambda order, size, **k: run(order, size)
        return executor

    return broken


def knowing_all(original):
    """Jump to the answer at the first step."""

    def broken(self, X, y):
        original(self, X, y).coef_ = np.ones(X.shape[1])
        return self

    return broken


CALLS = count()

BREAKS = {
    "mse-decomposition": assessed(variance=lambda a: a.variance * 1.1),
    "bias-can-pay": assessed(bias=lambda a: -a.bias),
    "cross-validation-or-mse": lambda original: (
        lambda e, s, d, f, **k: replace(r := original(e, s, d, f, **k), values=[v + 3 for v in r.values])
    ),
    "capacity": split_wrongly,
    "sgd-step-cost": laden,
    "sgd-before-one-pass": crawling,
    "sgd-cost-is-constant": knowing_all,
    "training-ends-early": standing_still,
    "tanh-code": standing_still,
    "pca-diagonalises": lambda original: lambda self, X, y=None: original(self, X, y) + X,
    "pca-singular-vectors": lambda original: lambda self, X, y=None: unsorted(original(self, X, y)),
    "pca-sigma-squared": lambda original: lambda self, X, y=None: original(self, X, y) * np.sqrt(len(X) - 1),
    "eigendecomposition-cost": slow(0.5),
    "double-descent": lambda original: (
        lambda *a, **k: replace(d := original(*a, **k), terms={**d.terms, "variance": 1.0})
    ),
    "likelihood-underflows": scaled(0.01),
    "log-and-mean-keep-argmax": lambda original: (
        lambda *a, weight=None, **k: (
            original(*a, weight=weight, **k)
            if weight is None
            else replace(f := original(*a, weight=weight, **k), params=1.1 * f.params)
        )
    ),
    "likelihood-cross-entropy": divergence(lambda v: v + 1),
    "likelihood-kl": divergence(lambda v: min(v, 10.0)),
    "likelihood-is-consistent": likelihood(params=lambda f: 1.5 * f.params),
    "kernel-trick": lambda original: lambda self, X: (2 if self.kernel == "poly" else 1) * original(self, X),
    "kernel-is-convex": linear_only,
    "kernel-is-cheaper": slow(0.05),
    "weights-from-examples": lambda original: lambda self, X: original(self, X) + 0.1,
    "alpha-mostly-zero": all_support,
    "prediction-cost": slow(0.05),
    "dense-alpha": all_support,
    "least-squares-likelihood": likelihood(params=lambda f: f.params + 0.1),
    "cost-is-cross-entropy": terms(value=lambda v: 2 * v),
    "no-minimum": penalised,
    "sigmoid-keeps-gradient": terms(d_eta=lambda g: 0 * g),
    "two-class-softmax": terms(value=lambda v: v + 1),
    "softmax-saturates": gradient(lambda g: 0 * g + 1),
    "softmax-arg-max": gradient(lambda g: 2 * g),
    "softmax-inside": likelihood(params=lambda f: f.params + 1),
    "relu-kink": gradient(lambda g: g + 0.5),
    "relu-slope": gradient(lambda g: 0.5 * g),
    "bias-of-a-tenth": gradient(lambda g: 0 * g),
    "rectifier-kin": gradient(lambda g: 0 * g),
    "learned-leak": likelihood(params=lambda f: f.params + 1),
    "absolute-polarity": gradient(lambda g: 0 * g),
    "tanh-near-identity": gradient(lambda g: 2 * g),
    "tanh-like-linear": gradient(lambda g: g + 0.01 * next(CALLS)),
    "saturation-in-depth": gradient(lambda g: 0 * g + 1),
    "tanh-recurrent": gradient(lambda g: 0 * g + 1),
    "chain-rule": gradient(lambda g: 2 * g),
    "chain-rule-tensors": gradient(lambda g: 2 * g),
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
