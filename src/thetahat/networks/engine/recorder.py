"""The tape of one step, turned into a graph.

The step runs once on the ordinary tape with the parameters and the batch as traced arrays, so that
whatever is computed from either is recorded. What is not recorded is a constant, and must not change
with the data: the step is recorded twice, from other rows and other parameters, and a constant
that differs (a mask made by ``stop_gradient``, a branch of Python) is refused by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from thetahat.autodiff.tape import Node, Primitive
from thetahat.autodiff.tensor import Tensor
from thetahat.contracts import IntArray
from thetahat.distributions import BernoulliOutput, CategoricalOutput, NormalOutput, PoissonOutput
from thetahat.networks.engine.graph import Graph, NotStatic, Value
from thetahat.networks.engine.likelihood import NLL
from thetahat.networks.engine.problem import TrainingProblem

__all__ = ["Recording", "record"]

_UNARY = {
    "negative", "exp", "expm1", "log", "log1p", "sqrt", "square", "reciprocal",
    "tanh", "expit", "log_expit", "absolute", "sin", "cos",
}  # fmt: skip
_BINARY = {"add", "subtract", "multiply", "maximum", "minimum", "logaddexp"}
_NAMES = {
    "divide": "divide",
    "true_divide": "divide",
    "fabs": "absolute",
    "fmax": "maximum",
    "fmin": "minimum",
}

_COMPARISONS = {
    np.greater: "greater",
    np.greater_equal: "greater_equal",
    np.less: "less",
    np.less_equal: "less_equal",
}


def _flat_rule(_g: Any, _ans: Any, *_: Any) -> None:
    return None


_COMPARE = {
    ufunc: Primitive(name, lambda x, y, f=ufunc: f(x, y).astype(float), [_flat_rule, _flat_rule])
    for ufunc, name in _COMPARISONS.items()
}
_SIGN = Primitive("sign", np.sign, [_flat_rule])
_LOOKUP = Primitive("lookup", lambda x, *keys: x[keys], [_flat_rule, _flat_rule, _flat_rule, _flat_rule])
_SELECT = Primitive("select", lambda c, x, y: np.where(c, x, y), [_flat_rule, _flat_rule, _flat_rule])


def _whole(key: Any) -> bool:
    return not isinstance(key, slice) and np.asarray(key).dtype.kind in "iu"


class _Traced(Tensor):
    """A traced array that records comparisons and choices too, so that no mask becomes a constant."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs:
            if ufunc in _COMPARE:
                return _COMPARE[ufunc](*inputs)
            if ufunc is np.sign:
                return _SIGN(*inputs)
        return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)

    def __getitem__(self, key: Any) -> Any:
        keys = key if isinstance(key, tuple) else (key,)
        if any(isinstance(part, Node) for part in keys):
            if not all(_whole(part.value if isinstance(part, Node) else part) for part in keys):
                raise NotStatic(
                    "indexing by the data takes whole numbers for every axis that it names, no slices and no "
                    "masks; write the choice with np.where, or a product with a mask"
                )
            return _LOOKUP(self, *keys)
        return super().__getitem__(key)

    def __array_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if func is np.where and len(args) == 3:
            return _SELECT(*args)
        return super().__array_function__(func, types, args, kwargs)


class Recording:
    """The graph of one step on batches of one size.

    Attributes
    ----------
    graph : Graph
        All values of the forward pass.
    loss : Value
        The step's loss.
    parameters : list of Value
        In the problem's order.
    inputs : dict of str to Value
        The arrays and masks of a batch that the loss uses.
    value : float
        The loss that the tape computed while it was recorded.
    """

    def __init__(self, problem: TrainingProblem, parameters: list[Any], batch: dict[str, Any]) -> None:
        self.graph = Graph(problem.dtype)
        leaves = [_Traced(np.asarray(p)) for p in parameters]
        given = {name: _Traced(array) for name, array in batch.items()}
        with np.errstate(all="ignore"):
            output = problem.loss(list(leaves), given)
        if not isinstance(output, Node) or np.shape(output.value) != ():
            raise NotStatic("the loss does not return a single number that depends on the parameters")
        self.value = float(output.value)
        self._known: dict[int, Value] = {}
        self._bundles: dict[int, Value] = {}
        self.parameters = []
        for i, leaf in enumerate(leaves):
            value = self.graph.add("parameter", (), leaf.shape, place=i)
            self._known[id(leaf)] = value
            self.parameters.append(value)
        self.inputs = {}
        for name, leaf in given.items():
            self.inputs[name] = self._known[id(leaf)] = self.graph.add("input", (), leaf.shape, name=name)
        for node in _ancestors(output):
            if id(node) not in self._known:
                self._known[id(node)] = self._lower(node)
        self.loss = self._known[id(output)]

    def _lower(self, node: Node) -> Value:
        op = node.op
        assert op is not None  # leaves are known
        name = _NAMES.get(op.name, op.name)
        if name in _LOWERED:
            return _LOWERED[name](self, node)
        if name in _UNARY | _BINARY | {
            "divide",
            "greater",
            "greater_equal",
            "less",
            "less_equal",
            "sign",
            "select",
        }:
            return self.graph.apply(name, *[self.operand(arg) for arg in node.args])
        raise NotStatic(f"{op.name} cannot run as a recorded step")

    def operand(self, arg: Any) -> Value:
        """Return the value of an argument: recorded, or a constant."""
        return self._known[id(arg)] if isinstance(arg, Node) else self.graph.constant(arg)


def _ancestors(output: Node) -> list[Node]:
    known, stack = {id(output): output}, [output]
    while stack:
        node = stack.pop()
        also = [node.static["y"]] if node.op is NLL and isinstance(node.static["y"], Node) else []
        for parent in [parent for _, parent in node.parents] + also:
            if id(parent) not in known:
                known[id(parent)] = parent
                stack.append(parent)
    return sorted(known.values(), key=lambda node: node.serial)


def _reshape(r: Recording, node: Node) -> Value:
    return r.graph.reshape(r.operand(node.args[0]), node.value.shape)


def _transpose(r: Recording, node: Node) -> Value:
    return r.graph.transpose(r.operand(node.args[0]), node.static["axes"])


def _broadcast(r: Recording, node: Node) -> Value:
    return r.graph.broadcast(r.operand(node.args[0]), node.value.shape)


def _same(r: Recording, node: Node) -> Value:
    return r.operand(node.args[0])


def _index(r: Recording, node: Node) -> Value:
    return r.graph.cut(r.operand(node.args[0]), node.static["key"])


def _lookup(r: Recording, node: Node) -> Value:
    """Rows by numbers in the data: all keys are whole numbers, and together say which row."""
    x, *keys = node.args
    graph, source = r.graph, r.operand(x)
    lengths = source.shape[: len(keys)]
    rows = math.prod(lengths)
    if rows > 2 ** np.finfo(graph.dtype).nmant:
        raise NotStatic(f"indexing by the data reaches {rows} rows, too many to count in {graph.dtype}")
    asked: Value | None = None
    for key, length in zip(keys, lengths, strict=True):
        number = r.operand(key)
        if len(keys) > 1:
            wrapped = graph.apply("add", number, graph.constant(float(length)))
            below = graph.apply("less", number, graph.constant(0.0))
            number = graph.apply("select", below, wrapped, number)
            # A number that is not there must not count as one of another axis.
            inside = graph.apply(
                "multiply",
                graph.apply("greater_equal", number, graph.constant(0.0)),
                graph.apply("less", number, graph.constant(float(length))),
            )
            number = graph.apply("select", inside, number, graph.constant(2.0 * rows))
        if asked is not None:
            asked = graph.apply("multiply", asked, graph.constant(float(length)))
            number = graph.apply("add", asked, number)
        asked = number
    assert asked is not None
    return graph.reshape(graph.lookup(source, rows, asked), node.value.shape)


def _concatenate(r: Recording, node: Node) -> Value:
    return r.graph.add(
        "concatenate",
        tuple(r.operand(arg) for arg in node.args),
        node.value.shape,
        axis=node.static["axis"],
    )


def _matmul(r: Recording, node: Node) -> Value:
    return r.graph.product(*[r.operand(arg) for arg in node.args])


def _sum(r: Recording, node: Node) -> Value:
    return r.graph.reduced("sum", r.operand(node.args[0]), tuple(node.static["axis"]))


def _logsumexp(r: Recording, node: Node) -> Value:
    _, _, top, total = _exponentials(r, node)
    return r.graph.apply("add", r.graph.apply("log", total), top)


def _log_softmax(r: Recording, node: Node) -> Value:
    gap, _, _, total = _exponentials(r, node)
    return r.graph.apply("subtract", gap, r.graph.reshape(r.graph.apply("log", total), _kept(gap, node)))


def _softmax(r: Recording, node: Node) -> Value:
    gap, part, _, total = _exponentials(r, node)
    return r.graph.apply("divide", part, r.graph.reshape(total, _kept(gap, node)))


def _exponentials(r: Recording, node: Node) -> tuple[Value, Value, Value, Value]:
    """Return x less the largest along the axes, its exponential, the largest, and their sum."""
    graph, x, axes = r.graph, r.operand(node.args[0]), tuple(node.static["axis"])
    top = graph.reduced("max", x, axes)
    gap = graph.apply("subtract", x, graph.reshape(top, _kept(x, node)))
    part = graph.apply("exp", gap)
    return gap, part, top, graph.reduced("sum", part, axes)


def _kept(x: Value, node: Node) -> tuple[int, ...]:
    return tuple(1 if i in node.static["axis"] else n for i, n in enumerate(x.shape))


def _power(r: Recording, node: Node) -> Value:
    base, exponent = node.args
    if isinstance(exponent, Node) or np.shape(exponent) != ():
        raise NotStatic(
            "a power with an array as its exponent cannot run as a recorded step; write exp(p * log(x))"
        )
    p, x = float(exponent), r.operand(base)
    known = {2.0: "square", 0.5: "sqrt", -1.0: "reciprocal"}
    if p == 1:
        return x
    return r.graph.apply(known[p], x) if p in known else r.graph.apply("power", x, r.graph.constant(p))


_FAMILIES = {
    NormalOutput: "normal",
    BernoulliOutput: "bernoulli",
    CategoricalOutput: "categorical",
    PoissonOutput: "poisson",
}


def _nll(r: Recording, node: Node) -> Value:
    family, graph = node.static["family"], r.graph
    name = _FAMILIES.get(type(family))
    if name is None:
        raise NotStatic(f"the family {type(family).__name__} cannot run as a recorded step")
    eta, y = graph.copied(r.operand(node.args[0])), graph.copied(r.operand(node.static["y"]))
    n, k = eta.shape
    return graph.add("nll", (eta, y), (n * (k + 1),), family=name, sd=float(getattr(family, "sd", 1.0)), k=k)


def _part(r: Recording, node: Node) -> Value:
    bundle = node.args[0]
    if bundle.op is not NLL:
        raise NotStatic(f"{bundle.op.name} cannot run as a recorded step")
    packed = r.operand(bundle)
    n, k = packed.inputs[0].shape
    return r.graph.add("nll_value", (packed.inputs[0], packed), (n,), k=k)


_LOWERED: dict[str, Callable[[Recording, Node], Value]] = {
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast_to": _broadcast,
    "astype": _same,
    "indexing": _index,
    "lookup": _lookup,
    "concatenate": _concatenate,
    "matmul": _matmul,
    "sum": _sum,
    "logsumexp": _logsumexp,
    "log_softmax": _log_softmax,
    "softmax": _softmax,
    "power": _power,
    "float_power": _power,
    "negative log-likelihood": _nll,
    "part": _part,
}


def record(
    problem: TrainingProblem, parameters: list[Any], rows: IntArray, *, check: bool = True
) -> Recording:
    """Record the step on batches of as many rows as these.

    Parameters
    ----------
    problem : TrainingProblem
        Whose step.
    parameters : list of ndarray
        Where it is recorded.
    rows : ndarray of int
        A batch.
    check : bool
        Whether to record it again from other rows and parameters, and refuse constants that differ.

    Raises
    ------
    NotStatic
        Where an operation has no place in a program, or the step has constants that follow the data.
    """
    rng = np.random.default_rng(0)
    first = Recording(problem, parameters, problem.batch(rows, rng))
    if not check:
        return first
    moved = [p + rng.normal(scale=0.1, size=np.shape(p)).astype(problem.dtype) for p in parameters]
    other = rng.integers(0, problem.rows, len(rows))
    second = Recording(problem, moved, problem.batch(other, rng))
    _compare(first.graph, second.graph)
    return first


def _compare(one: Graph, other: Graph) -> None:
    cure = "write the choice with np.where, np.maximum or a comparison of the arrays themselves"
    if len(one.values) != len(other.values):
        raise NotStatic(f"the loss computes other things for other rows; {cure}")
    for a, b in zip(one.values, other.values, strict=True):
        if a.op != b.op or a.shape != b.shape or not _same_parts(a, b):
            raise NotStatic(f"the loss computes other things for other rows, {a.op} and {b.op}; {cure}")
        if a.op == "constant" and not np.array_equal(a.static["array"], b.static["array"], equal_nan=True):
            raise NotStatic(f"a constant of shape {a.shape} in the loss follows the data; {cure}")


def _same_parts(a: Value, b: Value) -> bool:
    if "places" in a.static:
        return np.array_equal(a.static["places"], b.static["places"])
    return bool(a.static.get("key") == b.static.get("key"))
