import numpy as np
import pytest
from scipy import stats

from thetahat.errors import UsageError
from thetahat.resampling.intervals import Clt, CorrectedT, OverDraws
from thetahat.resampling.nested import Nested, NestedFolds
from thetahat.resampling.plans import KFold, Rows
from thetahat.resampling.posterior import posterior
from thetahat.resampling.selection_bias import corrected_winner


def test_pairs_of_folds_share_their_fits():
    plan = NestedFolds(5, 2)
    draws = plan.draws(Rows(23), rng=np.random.default_rng(0))
    assert len(draws) == 2 * (5 + 10)
    for draw in draws:
        assert np.intersect1d(draw.train, draw.test).size == 0
        assert len(draw.train) + len(draw.test) == 23
    one, two = draws[:5], draws[5:15]
    assert sorted(np.concatenate([d.test for d in one]).tolist()) == list(range(23))
    assert (two[0].test == np.concatenate([one[0].test, one[1].test])).all()


def losses_of(plan, rng):
    draws = plan.draws(Rows(40), rng=rng)
    rows = [rng.normal(size=len(d.test)) ** 2 for d in draws]
    sizes = np.array([len(d.test) for d in draws], dtype=float)
    return OverDraws(np.array([r.mean() for r in rows]), 40 - sizes, sizes, rows, [d.test for d in draws])


def test_nested_equals_the_formula_written_out():
    plan = NestedFolds(4, 2)
    quantity = losses_of(plan, np.random.default_rng(0))
    found = Nested(plan)(quantity)
    a, b, inner, outer = [], [], [], []
    for r in range(2):
        block = quantity.rows[10 * r : 10 * (r + 1)]
        pair = {}
        k = 4
        for i in range(4):
            for j in range(i + 1, 4):
                pair[i, j], pair[j, i] = block[k][: len(block[i])], block[k][len(block[i]) :]
                k += 1
        for fold in range(4):
            others = np.concatenate([pair[j, fold] for j in range(4) if j != fold])
            a.append((others.mean() - block[fold].mean()) ** 2)
            b.append(block[fold].var(ddof=1) / len(block[fold]))
        inner += [v for v in pair.values()]
        outer.append(np.concatenate(block[:4]).mean())
    inner = np.concatenate(inner)
    least = inner.std(ddof=1) / np.sqrt(40)
    se = np.clip(np.sqrt(3 / 4 * max(0, np.mean(a) - np.mean(b))), least, 2 * least)
    assert found.se == pytest.approx(se, rel=1e-12)
    gap = inner.mean() - np.mean(outer)
    assert found.estimate == pytest.approx(inner.mean() - 1.5 * gap, rel=1e-12)
    assert Nested(plan, "none")(quantity).estimate == pytest.approx(inner.mean())
    assert Nested(plan, "share")(quantity).estimate == pytest.approx(inner.mean() - 0.5 * gap)


def test_nested_needs_its_own_draws():
    quantity = losses_of(NestedFolds(4, 1), np.random.default_rng(0))
    with pytest.raises(UsageError, match="every draw"):
        Nested(NestedFolds(5, 1))(quantity)


def test_clt_is_the_standard_error_of_the_rows():
    draws = KFold(5).draws(Rows(50), rng=np.random.default_rng(0))
    rows = [np.random.default_rng(k).normal(size=10) for k in range(5)]
    quantity = OverDraws(
        np.array([r.mean() for r in rows]), np.full(5, 40.0), np.full(5, 10.0), rows, [d.test for d in draws]
    )
    every = np.concatenate(rows)
    assert Clt()(quantity).se == pytest.approx(every.std() / np.sqrt(50))
    within = np.mean([r.var(ddof=1) for r in rows])
    assert Clt(within=True)(quantity).se == pytest.approx(np.sqrt(within / 50))
    without = OverDraws(quantity.values, quantity.n_train, quantity.n_test)
    assert Clt()(without) == CorrectedT()(without)


def test_a_row_held_out_twice_counts_once():
    draws = KFold(5, 2).draws(Rows(50), rng=np.random.default_rng(0))
    value = np.random.default_rng(1).normal(size=50)
    rows = [value[d.test] for d in draws]
    quantity = OverDraws(
        np.array([r.mean() for r in rows]),
        np.full(10, 40.0),
        np.full(10, 10.0),
        rows,
        [d.test for d in draws],
    )
    assert Clt()(quantity).se == pytest.approx(value.std() / np.sqrt(50))


def test_posterior_probabilities_are_students():
    values = np.array([0.1, 0.3, 0.2, 0.15])
    quantity = OverDraws(values, np.full(4, 75.0), np.full(4, 25.0))
    below, within, above = posterior(quantity, 0.05)
    scale = np.sqrt((1 / 4 + 0.25 / 0.75) * values.var(ddof=1))
    assert below == pytest.approx(stats.t.cdf(-0.05, 3, values.mean(), scale))
    assert above == pytest.approx(stats.t.sf(0.05, 3, values.mean(), scale))
    assert below + within + above == pytest.approx(1)


def test_a_single_candidate_needs_no_correction():
    losses = np.random.default_rng(0).random((60, 1))
    found = corrected_winner(losses, rng=np.random.default_rng(1), resamples=4000)
    assert found.estimate == pytest.approx(losses.mean(), abs=0.005)
    assert found.naive == pytest.approx(losses.mean())


def test_the_winner_among_equals_is_put_back_to_its_place():
    losses = (np.random.default_rng(0).random((50, 40)) < 0.3).astype(float)
    found = corrected_winner(losses, rng=np.random.default_rng(1))
    assert found.naive < 0.24
    assert found.estimate > 0.26
