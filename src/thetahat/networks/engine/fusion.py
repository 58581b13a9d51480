"""Pairs of operations that one pass over memory can do, found in a finished graph."""

from __future__ import annotations

from collections import Counter

from thetahat.networks.engine.graph import Graph, Value

__all__ = ["IN_PLACE", "fuse", "needed"]

#: Operations that overwrite their first input.
IN_PLACE = frozenset({"bias_add", "bias_relu", "relu_back"})


def needed(graph: Graph, wanted: list[Value]) -> list[Value]:
    """Return the values that the wanted ones are made from, in order."""
    reached: set[int] = set()
    stack = list(wanted)
    while stack:
        value = stack.pop()
        if value.number not in reached:
            reached.add(value.number)
            stack.extend(value.inputs)
    return [value for value in graph.values if value.number in reached]


def fuse(graph: Graph, wanted: list[Value]) -> None:
    """Rewrite the graph so that one pass does what two did, where nothing else reads what lies between.

    Biases and rectifiers work in place, and a likelihood's slope comes with the factor of the mean.
    """
    values = needed(graph, wanted)
    uses = Counter(x.number for value in values for x in value.inputs)
    uses.update(value.number for value in wanted)
    for value in values:
        if value.op == "add":
            _fuse_bias(value, uses)
        elif value.op == "multiply":
            _fuse_scale(value, uses)
    for value in values:
        if value.op == "maximum" and value.inputs[1].is_number(0.0):
            pre = value.inputs[0]
            if pre.op == "bias_add" and uses[pre.number] == 1:
                value.op, value.inputs = "bias_relu", pre.inputs
        elif value.op == "keep_greater" and value.inputs[2].is_number(0.0):
            g, out, _ = value.inputs
            if g.op == "matmul" and uses[g.number] == 1 and _plain(out) and out.shape == g.shape:
                value.op, value.inputs = "relu_back", (g, out)


def _fuse_bias(value: Value, uses: Counter[int]) -> None:
    for m, b in (value.inputs, value.inputs[::-1]):
        if m.op != "matmul" or uses[m.number] != 1 or not _plain(b) or m.shape != value.shape:
            continue
        if b.shape in ((m.shape[1],), (1, m.shape[1])):
            value.op, value.inputs = "bias_add", (m, b)
            return


def _fuse_scale(value: Value, uses: Counter[int]) -> None:
    for slope, factor in (value.inputs, value.inputs[::-1]):
        if factor.op == "broadcast":
            factor = factor.inputs[0]
        if slope.op != "nll_slope" or uses[slope.number] != 1 or factor.op != "constant" or factor.size != 1:
            continue
        if slope.shape == value.shape:
            slope.inputs[0].static["scale"] = float(factor.static["array"].ravel()[0])
            value.op, value.inputs = "nll_slope", slope.inputs
            return


def _plain(value: Value) -> bool:
    return value.contiguous and len(value.shape) > 0
