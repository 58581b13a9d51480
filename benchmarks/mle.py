"""``mle`` of ten families on 100 000 numbers against ``scipy.stats`` ``fit``."""

from __future__ import annotations

import argparse
import statistics
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

import thetahat as th
from benchmarks.pairing import alternate


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks mle", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=100_000)
    asked = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    n = asked.rows

    def by_scipy(peer: Any, x: Any, bounds: Any) -> Callable[[], Any]:
        return lambda: stats.fit(peer, x, bounds=bounds)

    def closed(peer: Any, x: Any, **fixed: Any) -> Callable[[], Any]:
        return lambda: peer.fit(x, **fixed)

    counts = {
        "poisson": th.Poisson(3.0),
        "nbinom": th.NegativeBinomial(3.0, 1.5),
        "binom": th.Binomial(0.3, 12),
    }
    drawn = {name: np.asarray(p.sample(n, rng=rng), dtype=float) for name, p in counts.items()}
    g = th.Gamma(2.0, 1.5).sample(n, rng=rng)
    t = th.StudentT(5.0, 1.0, 2.0).sample(n, rng=rng)
    b = th.Beta(2.0, 3.0).sample(n, rng=rng)
    pairs = {
        "normal": (th.Normal(), t, closed(stats.norm, t)),
        "lognormal": (th.LogNormal(), g, closed(stats.lognorm, g, floc=0)),
        "Laplace": (th.Laplace(), t, closed(stats.laplace, t)),
        "Student t": (th.StudentT(), t, closed(stats.t, t)),
        "exponential": (th.Exponential(), g, closed(stats.expon, g, floc=0)),
        "gamma": (th.Gamma(), g, closed(stats.gamma, g, floc=0)),
        "Weibull": (th.Weibull(), g, closed(stats.weibull_min, g, floc=0)),
        "beta": (th.Beta(), b, closed(stats.beta, b, floc=0, fscale=1)),
        "Poisson": (th.Poisson(), drawn["poisson"], by_scipy(stats.poisson, drawn["poisson"], [(0.1, 20)])),
        "negative binomial": (
            th.NegativeBinomial(),
            drawn["nbinom"],
            by_scipy(stats.nbinom, drawn["nbinom"], [(0.1, 20), (0, 1)]),
        ),
    }
    total = [0.0, 0.0]
    ratios = []
    for name, (family, x, peer) in pairs.items():
        ratio = alternate(lambda family=family, x=x: th.mle(family, x), peer, asked.runs)
        ratios.append(ratio.value)
        total[0] += statistics.median(ratio.ours)
        total[1] += statistics.median(ratio.peer)
        print(f"{name:18s} {ratio}")
    print(
        f"all ten: ours {total[0]:.3g} s, peer {total[1]:.3g} s, ratio {total[1] / total[0]:.3g}x; target: 5x"
    )
    print(f"geometric mean of the ratios {np.exp(np.mean(np.log(ratios))):.3g}x, smallest {min(ratios):.3g}x")
