"""The way back through a graph: what the tape does at every step, written down once.

The tape's own rules read masks off the numbers that they meet, so they cannot be recorded; these
are the same rules with every mask as a value of the graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from thetahat.networks.engine.graph import Graph, NotStatic, Value

__all__ = ["differentiate"]

Rule = Callable[[Graph, Value, Value], "list[Value | None]"]


def _unary(partial: Callable[[Graph, Value, Value, Value], Value]) -> Rule:
    return lambda graph, out, g: [partial(graph, out, g, out.inputs[0])]


def _times(graph: Graph, g: Value, d: Value) -> Value:
    return graph.apply("multiply", g, d)


def _over(graph: Graph, g: Value, d: Value) -> Value:
    return graph.apply("divide", g, d)


def _divide(graph: Graph, out: Value, g: Value) -> list[Value | None]:
    over = _over(graph, g, out.inputs[1])
    return [over, graph.apply("negative", _times(graph, over, out))]


def _extreme(least: bool) -> Rule:
    def rule(graph: Graph, out: Value, g: Value) -> list[Value | None]:
        a, b = out.inputs
        if b.is_number(0.0) and not least:
            return [graph.apply("keep_greater", g, out, b), None]
        # A tie belongs to the constant if one side is a constant, to the first if neither is.
        in_a = "keep_greater_equal" if a.depends and b.depends else "keep_greater"
        left = graph.apply(in_a, g, *((b, a) if least else (a, b)))
        right = graph.apply("keep_greater", g, *((a, b) if least else (b, a)))
        return [left, right]

    return rule


def _select(graph: Graph, out: Value, g: Value) -> list[Value | None]:
    zero = graph.constant(0.0)
    mask = out.inputs[0]
    return [None, graph.apply("select", mask, g, zero), graph.apply("select", mask, zero, g)]


def _logaddexp(graph: Graph, out: Value, g: Value) -> list[Value | None]:
    x, y = out.inputs
    share = graph.apply("expit", graph.apply("subtract", x, y))
    other = graph.apply("expit", graph.apply("subtract", y, x))
    return [_times(graph, g, share), _times(graph, g, other)]


def _power(graph: Graph, out: Value, g: Value) -> list[Value | None]:
    x, p = out.inputs
    slope = graph.apply("power", x, graph.constant(float(p.static["array"]) - 1))
    return [_times(graph, g, _times(graph, slope, p)), None]


def _matmul(graph: Graph, out: Value, g: Value) -> list[Value | None]:
    a, b = out.inputs
    left = graph.product(g, graph.transpose(b, (1, 0))) if a.depends else None
    return [left, graph.product(graph.transpose(a, (1, 0)), g) if b.depends else None]


def _sum(graph: Graph, out: Value, g: Value) -> list[Value | None]:
    (x,), axis = out.inputs, out.static["axis"]
    return [graph.broadcast(graph.reshape(g, (*x.shape[:axis], 1, *x.shape[axis + 1 :])), x.shape)]


def _transpose(graph: Graph, out: Value, g: Value) -> list[Value | None]:
    return [graph.transpose(g, tuple(int(i) for i in np.argsort(out.static["axes"])))]


def _slice(graph: Graph, out: Value, g: Value) -> list[Value | None]:
    return [graph.add("scatter", (g,), out.inputs[0].shape, key=out.static["key"])]


def _gather(graph: Graph, out: Value, g: Value) -> list[Value | None]:
    places = out.static["places"]
    return [graph.add("scatter_add", (graph.copied(g),), out.inputs[0].shape, places=places)]


def _lookup(graph: Graph, out: Value, g: Value) -> list[Value | None]:
    x, asked = out.inputs
    rows = out.static["rows"]
    return [graph.add("lookup_back", (graph.copied(g), asked), x.shape, rows=rows), None]


def _concatenate(graph: Graph, out: Value, g: Value) -> list[Value | None]:
    axis, start, parts = out.static["axis"], 0, []
    for x in out.inputs:
        stop = start + x.shape[axis]
        parts.append(graph.cut(g, (slice(None),) * axis + (slice(start, stop),)) if x.depends else None)
        start = stop
    return list(parts)


def _nll(graph: Graph, out: Value, g: Value) -> list[Value | None]:
    eta, packed = out.inputs
    slope = graph.add("nll_slope", (packed,), eta.shape)
    return [_times(graph, slope, graph.reshape(g, (eta.shape[0], 1))), None]


def _nothing(_graph: Graph, out: Value, _g: Value) -> list[Value | None]:
    return [None] * len(out.inputs)


_RULES: dict[str, Rule] = {
    "add": lambda graph, out, g: [g, g],
    "subtract": lambda graph, out, g: [g, graph.apply("negative", g)],
    "multiply": lambda graph, out, g: [_times(graph, g, out.inputs[1]), _times(graph, g, out.inputs[0])],
    "divide": _divide,
    "negative": _unary(lambda graph, out, g, x: graph.apply("negative", g)),
    "exp": _unary(lambda graph, out, g, x: _times(graph, g, out)),
    "expm1": _unary(lambda graph, out, g, x: _times(graph, g, graph.apply("exp", x))),
    "log": _unary(lambda graph, out, g, x: _over(graph, g, x)),
    "log1p": _unary(lambda graph, out, g, x: _over(graph, g, graph.apply("add", x, graph.constant(1.0)))),
    "sqrt": _unary(lambda graph, out, g, x: _over(graph, _times(graph, g, graph.constant(0.5)), out)),
    "square": _unary(lambda graph, out, g, x: _times(graph, g, _times(graph, x, graph.constant(2.0)))),
    "reciprocal": _unary(
        lambda graph, out, g, x: graph.apply("negative", _times(graph, g, graph.apply("square", out)))
    ),
    "tanh": _unary(lambda graph, out, g, x: graph.apply("tanh_slope", g, out)),
    "expit": _unary(lambda graph, out, g, x: graph.apply("expit_slope", g, out)),
    "log_expit": _unary(
        lambda graph, out, g, x: _times(graph, g, graph.apply("expit", graph.apply("negative", x)))
    ),
    "absolute": _unary(lambda graph, out, g, x: _times(graph, g, graph.apply("sign", x))),
    "sin": _unary(lambda graph, out, g, x: _times(graph, g, graph.apply("cos", x))),
    "cos": _unary(lambda graph, out, g, x: graph.apply("negative", _times(graph, g, graph.apply("sin", x)))),
    "maximum": _extreme(least=False),
    "minimum": _extreme(least=True),
    "select": _select,
    "logaddexp": _logaddexp,
    "power": _power,
    "matmul": _matmul,
    "sum": _sum,
    "max": _nothing,
    "reshape": lambda graph, out, g: [graph.reshape(g, out.inputs[0].shape)],
    "transpose": _transpose,
    "broadcast": lambda graph, out, g: [g],
    "copy": lambda graph, out, g: [g],
    "slice": _slice,
    "gather": _gather,
    "lookup": _lookup,
    "concatenate": _concatenate,
    "nll_value": _nll,
    **dict.fromkeys(("greater", "greater_equal", "less", "less_equal", "sign"), _nothing),
}


def differentiate(graph: Graph, loss: Value, parameters: list[Value]) -> list[Value]:
    """Append the gradient of the loss to the graph, and return one value for each parameter."""
    cotangents: dict[int, Value] = {loss.number: graph.constant(1.0)}
    for out in graph.values[: loss.number + 1][::-1]:
        if out.op == "parameter" or not out.depends:
            continue
        g = cotangents.pop(out.number, None)
        if g is None:
            continue
        rule = _RULES.get(out.op)
        if rule is None:
            raise NotStatic(f"{out.op} has no recorded derivative")
        for x, part in zip(out.inputs, rule(graph, out, g), strict=True):
            if part is None or not x.depends:
                continue
            part = graph.unbroadcast(part, x.shape)
            known = cotangents.get(x.number)
            cotangents[x.number] = part if known is None else graph.apply("add", known, part)
    found: list[Any] = [cotangents.get(p.number) for p in parameters]
    return [
        graph.broadcast(graph.constant(0.0), p.shape) if g is None else g
        for p, g in zip(parameters, found, strict=True)
    ]
