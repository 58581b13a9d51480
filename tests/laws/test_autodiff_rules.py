"""Every rule, first and second order, at ranks 0 to 5, against complex steps, mpmath and differences."""

import mpmath
import numpy as np
import pytest
from scipy import special

from tests.laws.autodiff_cases import FUNCTIONS, UFUNCS
from thetahat import autodiff as ad
from thetahat.autodiff import tensor
from thetahat.autodiff.check import difference
from thetahat.errors import UsageError

SHAPES = [(), (3,), (2, 2), (2, 1, 2), (1, 2, 1, 2), (2, 1, 1, 2, 1)]
EXACT = {
    np.exp: mpmath.exp,
    np.tanh: mpmath.tanh,
    np.arctan: mpmath.atan,
    np.log1p: mpmath.log1p,
    special.gammaln: mpmath.loggamma,
    special.psi: mpmath.psi,
    special.erf: mpmath.erf,
    special.erfc: mpmath.erfc,
    special.erfinv: mpmath.erfinv,
    special.ndtr: mpmath.ncdf,
    special.log_ndtr: lambda x: mpmath.log(mpmath.ncdf(x)),
    special.log_expit: lambda x: -mpmath.log1p(mpmath.exp(-x)),
    special.i0: lambda x: mpmath.besseli(0, x),
    special.j1: lambda x: mpmath.besselj(1, x),
    special.k1: lambda x: mpmath.besselk(1, x),
    special.rgamma: mpmath.rgamma,
    special.dawsn: lambda x: mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(-x * x) * mpmath.erfi(x),
}
EXACT[special.psi] = lambda x: mpmath.psi(0, x)


def point(domain, shape, rng):
    return rng.uniform(*domain, size=shape)[()] if isinstance(domain, tuple) else domain


def error(ours, theirs):
    return float(np.max(np.abs(ours - theirs) / np.maximum(1.0, np.abs(theirs)), initial=0.0))


def complex_step(along, x):
    """Return the exact slope where the function takes complex numbers; None where it does not."""
    try:
        with np.errstate(all="ignore"):
            value = along(x + 1e-30j)
    except (TypeError, ValueError):
        return None
    slope = np.imag(value) / 1e-30
    return slope if np.iscomplexobj(value) and np.all(np.isfinite(slope)) else None


@pytest.mark.parametrize("rank", range(6))
def test_every_ufunc_to_the_second_order(rank, capsys):
    rng = np.random.default_rng(rank)
    worst = {1: (0.0, ""), 2: (0.0, "")}
    for ufunc, domains in UFUNCS.items():
        inputs = [point(domain, SHAPES[rank], rng) for domain in domains]
        for place, domain in enumerate(domains):
            if not isinstance(domain, tuple):
                continue

            def along(x, ufunc=ufunc, inputs=inputs, place=place):
                return ufunc(*inputs[:place], x, *inputs[place + 1 :])

            def slope(x, along=along):
                return ad.grad(lambda t: np.sum(along(t)))(x)

            x = inputs[place]
            one = np.ones_like(x)
            first = complex_step(along, x)
            if first is None or ufunc in (np.absolute, np.conjugate):
                first = difference(along, x, one, 3e-3)
            second = difference(slope, x, one, 3e-3)
            ours = ad.grad(lambda t, slope=slope: np.sum(slope(t)))(x)
            for order, found in ((1, error(slope(x), first)), (2, error(ours, second))):
                worst[order] = max(worst[order], (found, ufunc.__name__))
    with capsys.disabled():
        print(f"\nufuncs, rank {rank}: worst error, first order {worst[1]}, second order {worst[2]}")
    assert worst[1][0] < 1e-10
    assert worst[2][0] < 1e-9


@pytest.mark.parametrize("ufunc", EXACT, ids=lambda ufunc: ufunc.__name__)
def test_rules_against_fifty_digits(ufunc):
    low, high = UFUNCS[ufunc][0]
    with mpmath.workdps(50):
        for x in np.linspace(low, high, 5):
            ours = [ad.grad(ufunc)(x), ad.grad(ad.grad(ufunc))(x)]
            theirs = [float(mpmath.diff(EXACT[ufunc], mpmath.mpf(float(x)), k).real) for k in (1, 2)]
            assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("rank", range(6))
def test_every_function_to_the_second_order(rank, capsys):
    rng = np.random.default_rng(rank)
    worst = (0.0, "")
    for name, function in FUNCTIONS.items():
        x = rng.uniform(0.4, 1.3, size=SHAPES[rank])[()]
        try:
            found = ad.check_grads(function, (x,), 2, step=2e-3, tolerance=1e-8, rng=rng)
        except Exception as problem:
            raise AssertionError(f"{name} at rank {rank}") from problem
        worst = max(worst, (found, name))
    with capsys.disabled():
        print(f"\nfunctions, rank {rank}: worst error, orders one and two, {worst}")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_traced_value_is_the_plain_value(name):
    x = np.random.default_rng(1).uniform(0.4, 1.3, size=(2, 2))
    assert ad.vjp(FUNCTIONS[name], x)[0] == pytest.approx(np.asarray(FUNCTIONS[name](x)), rel=1e-13)


def test_every_ufunc_with_a_rule_has_a_case():
    constant = {
        ufunc for ufunc, rule in tensor.UFUNCS.items() if "_constant" in getattr(rule, "__qualname__", "")
    }
    by_function = {np.modf, np.frexp, np.divmod, np.matmul, np.vecdot, np.matvec, np.vecmat}
    assert set(tensor.UFUNCS) - constant - by_function == set(UFUNCS)


def test_every_function_with_a_rule_is_reached_by_a_case(monkeypatch):
    reached = set()
    for function, rule in list(tensor.FUNCTIONS.items()):

        def watched(*args, function=function, rule=rule, **kwargs):
            reached.add(function)
            return rule(*args, **kwargs)

        monkeypatch.setitem(tensor.FUNCTIONS, function, watched)
    monkeypatch.setattr(
        tensor,
        "accepted_keywords",
        lambda rule: {
            "axis",
            "axes",
            "keepdims",
            "weights",
            "n",
            "full_matrices",
            "ddof",
            "order",
            "b",
            "axis1",
            "axis2",
            "offset",
        },
    )
    for function in FUNCTIONS.values():
        ad.vjp(function, np.full((2, 2), 0.7))
    answers = {f for f, rule in tensor.FUNCTIONS.items() if f not in reached}
    plain = {
        "argmax",
        "argmin",
        "argsort",
        "any",
        "all",
        "count_nonzero",
        "nonzero",
        "searchsorted",
        "shape",
        "ndim",
        "size",
        "zeros_like",
        "ones_like",
        "result_type",
        "isclose",
        "allclose",
        "array_equal",
        "isneginf",
        "isposinf",
        "matrix_transpose",
        "astype",
        "linalg.matrix_transpose",
        "real",
        "copy",
    }
    assert {f.__name__ for f in answers} <= plain


FOUR = {
    "a branch not taken": (lambda x: np.where(x > 0, np.log(x), 0.0), 0.0, 0.0, 0.0),
    "a norm at 0": (lambda x: np.linalg.norm(np.stack([x, x])), 0.0, 0.0, 0.0),
    "the root of a square": (lambda x: np.sqrt(x**2), 0.0, 0.0, 0.0),
    "softplus written out": (lambda x: np.log1p(np.exp(x)), 800.0, 800.0, 1.0),
    "softplus with a one": (lambda x: np.log(1 + np.exp(x)), 800.0, 800.0, 1.0),
    "rectified": (lambda x: np.maximum(x, 0.0), 0.0, 0.0, 0.0),
    "rectified, the other way": (lambda x: np.maximum(0.0, x), 0.0, 0.0, 0.0),
    "absolute": (np.abs, 0.0, 0.0, 0.0),
    "clipped": (lambda x: np.clip(x, 0.0, 1.0), 0.0, 0.0, 0.0),
    "x log x": (lambda x: special.xlogy(0.0, x), 0.0, 0.0, 0.0),
}


@pytest.mark.parametrize("name", FOUR)
def test_subgradients_where_there_is_no_derivative(name):
    function, x, value, slope = FOUR[name]
    assert ad.value_and_grad(function)(x) == (value, slope)
    assert not np.isnan(ad.grad(ad.grad(function))(x))


SATURATED = {
    "logistic": (special.expit, 40.0, np.exp(-40.0)),
    "hyperbolic tangent": (np.tanh, 30.0, 4 * np.exp(-60.0)),
    "softmax of the likeliest": (lambda x: ad.softmax(x * np.array([1.0, 0.0]))[0], 40.0, np.exp(-40.0)),
    "its logarithm": (lambda x: ad.log_softmax(x * np.array([1.0, 0.0]))[0], 40.0, np.exp(-40.0)),
    "far from 0": (
        lambda x: ad.log_softmax(np.array([1e4, 1e4]) + x * np.array([1.0, 0.0]))[0],
        30.0,
        np.exp(-30.0),
    ),
    "a share of a sum": (lambda x: ad.logsumexp(x + np.array([1e4, 1e4, 1e4]), axis=0), 0.0, 1.0),
}


@pytest.mark.parametrize("name", SATURATED)
def test_a_slope_keeps_its_digits_where_the_function_saturates(name):
    function, x, slope = SATURATED[name]
    assert ad.grad(function)(x) == pytest.approx(slope, rel=1e-12, abs=0)
    if name != "a share of a sum":
        # Beyond the turning point the slope falls as fast as it is.
        assert ad.grad(ad.grad(function))(x) == pytest.approx(
            -slope * (2 if "tangent" in name else 1), rel=1e-12
        )


def test_the_logarithm_of_a_certain_probability_keeps_its_digits():
    for shift in (0.0, 1e4):
        logs = ad.log_softmax(np.array([shift, shift - 40.0]))
        assert logs == pytest.approx(np.array([-np.exp(-40.0), -40.0]), rel=1e-12, abs=0)


def test_a_tie_goes_to_the_first():
    assert ad.grad(np.max)(np.array([1.0, 2.0, 2.0])).tolist() == [0.0, 1.0, 0.0]


REFUSED = {
    "writing": (lambda t: t.__setitem__(0, 1.0), r"np\.where"),
    "adding in place": (lambda t: t.__iadd__(1.0), r"t = t \+"),
    "writing into": (lambda t: np.add(t, 1.0, out=np.zeros(2)), "out"),
    "at": (lambda t: np.add.at(t, [0], 1.0), "in place"),
    "sorting in place": (lambda t: t.sort(), r"np\.sort"),
    "np.array": (lambda t: np.array([t, t]), r"thetahat\.autodiff\.array"),
    "scipy's logsumexp": (special.logsumexp, r"thetahat\.autodiff\.logsumexp"),
    "scipy's softmax": (special.softmax, r"thetahat\.autodiff\.softmax"),
    "float": (lambda t: float(t[0]), r"np\.log|NumPy"),
    "no rule": (lambda t: special.airy(t)[0], "airy"),
    "no rule in a parameter": (lambda t: special.gammainc(t, 1.0), "argument number 0"),
    "complex": (lambda t: t * 1j, "Complex"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_lose_the_gradient_is_refused_with_the_cure(name):
    function, cure = REFUSED[name]
    with pytest.raises(UsageError, match=cure):
        ad.vjp(function, np.ones(2))


def test_precision_is_kept_and_whole_numbers_are_promoted():
    assert ad.grad(lambda x: np.sum(x * np.exp(x)))(np.ones(3, np.float32)).dtype == np.float32
    assert ad.grad(lambda x: np.sum(x**2))(np.arange(3)).tolist() == [0.0, 2.0, 4.0]


def test_transformations_agree_with_each_other():
    x, v = np.array([0.3, 0.7, 1.1]), np.array([1.0, -2.0, 0.5])

    def f(x):
        return np.sum(np.exp(x) * np.sin(x[::-1])) ** 2

    H = ad.hessian(f)(x)
    assert pytest.approx(H, rel=1e-12) == ad.jacobian(ad.grad(f))(x)
    assert pytest.approx(H.T, rel=1e-12) == H
    assert ad.hvp(f)(x, v) == pytest.approx(H @ v, rel=1e-12)
    assert ad.jvp(ad.grad(f), (x,), (v,))[1] == pytest.approx(H @ v, rel=1e-12)
    (pulled,) = ad.vjp(ad.grad(f), x)[1](v)
    assert pulled == pytest.approx(H @ v, rel=1e-12)
    one, other = ad.grad(lambda a, b: np.sum(a * b), argnum=(0, 1))(x, v)
    assert (one.tolist(), other.tolist()) == (v.tolist(), x.tolist())


def test_derivatives_nest_and_close_over_each_other():
    inner = ad.grad(lambda x: ad.grad(lambda y: x**2 * y**3)(2.0) * x)
    assert inner(3.0) == pytest.approx(3 * 9 * 12)


def test_a_rule_of_ones_own_comes_through_the_door():
    cube = ad.primitive(lambda x: x**3, [lambda g, ans, x: g * 3 * x**2])
    assert ad.check_grads(cube, (np.array([0.5, 1.0]),)) < 1e-8
    wrong = ad.primitive(lambda x: x**3, [lambda g, ans, x: g * 2 * x**2])
    with pytest.raises(AssertionError, match="by rule"):
        ad.check_grads(wrong, (np.array([0.5, 1.0]),))


def test_the_tape_is_freed():
    import gc
    import weakref

    seen = []
    ad.grad(lambda x: (seen.append(weakref.ref(x)), np.sum(x**2))[1])(np.ones(3))
    gc.collect()
    assert seen[0]() is None


def test_threads_do_not_meet():
    from concurrent.futures import ThreadPoolExecutor

    def work(k):
        return ad.hessian(lambda x: np.sum(np.sin(k * x)))(np.full(4, 0.2))

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(work, range(20)))
    assert all((one == work(k)).all() for k, one in enumerate(together))


def test_a_vector_needs_jacobian():
    with pytest.raises(UsageError, match="jacobian"):
        ad.grad(np.sin)(np.ones(2))
