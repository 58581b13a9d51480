"""Principal components against scikit-learn: one fit, and the fits of a k-fold by shared work."""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.decomposition import PCA as Peer
from threadpoolctl import threadpool_limits

import thetahat as th
from benchmarks.pairing import alternate
from thetahat.contracts import Sample
from thetahat.pca.estimator import PrincipalComponents
from thetahat.resampling.plans import KFold, Rows


def off(one, other):
    """Return the largest relative difference of the explained variances."""
    a, b = (np.asarray(m.explained_variance_, dtype=float) for m in (one, other))
    return np.abs(a / b - 1)[: len(b) // 2].max()


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks pca", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(argv)
    rng = np.random.default_rng(0)
    print(
        f"{options.threads} thread(s) on both sides; relative differences of the upper half of the variances"
    )
    with threadpool_limits(options.threads):
        for n, d in ((200_000, 200), (2000, 5000)):
            wide = rng.normal(size=(n, d)) * np.linspace(1, 3, d) + 5.0
            for dtype in (np.float64, np.float32):
                X = wide.astype(dtype)
                exact = Peer(svd_solver="covariance_eigh" if n > d else "full").fit(wide)
                runs = options.runs if n > d else min(options.runs, 3)
                count = {} if n > d else {"n_components": 50, "random_state": 0}
                if count:
                    exact.explained_variance_ = exact.explained_variance_[:50]
                ratio = alternate(
                    lambda X=X, count=count: th.PCA(**count).fit(X),
                    lambda X=X, count=count: Peer(**count).fit(X),
                    runs,
                )
                ours, theirs = th.PCA(**count).fit(X), Peer(**count).fit(X)
                said = f"from the truth: ours {off(ours, exact):.1e}, peer {off(theirs, exact):.1e}"
                print(f"{n} x {d} {X.dtype}: {ratio}; {said}", flush=True)
        X = rng.normal(size=(100_000, 50)) @ np.diag(np.linspace(1, 3, 50))
        draws = KFold(50).draws(Rows(len(X)), rng=rng)
        model = PrincipalComponents()
        ratio = alternate(
            lambda: list(model.prepare(Sample(X)).solve(draws)),
            lambda: [Peer().fit(X[draw.train]) for draw in draws],
            options.runs,
        )
        shared = [fit.theta for fit in model.prepare(Sample(X)).solve(draws)]
        gap = max(
            np.abs(one.variances / Peer().fit(X[draw.train]).explained_variance_ - 1).max()
            for one, draw in zip(shared[:5], draws[:5], strict=True)
        )
        print(f"50 folds of 100000 x 50 by shared work: {ratio}; largest difference {gap:.1e}")
