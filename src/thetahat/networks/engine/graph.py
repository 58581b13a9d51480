"""A training step as a list of values, each made once from earlier ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from thetahat.errors import UsageError

__all__ = ["VIEWS", "Graph", "NotStatic", "Value"]

#: Values that are another value's memory seen differently: the last input's.
VIEWS = frozenset({"reshape", "transpose", "slice", "broadcast", "nll_value", "nll_slope"})

Shape = tuple[int, ...]

# What is computed once, when the step is recorded.
_FOLDED: dict[str, Callable[..., Any]] = {
    "multiply": np.multiply,
    "divide": np.divide,
    "negative": np.negative,
    "add": np.add,
    "subtract": np.subtract,
}


class NotStatic(UsageError):
    """A step that cannot be run as a recorded program; says which operation is the reason."""


class Value:
    """An array of the step.

    Parameters
    ----------
    number : int
        Its place in the graph.
    op : str
        What makes it; ``parameter``, ``input`` and ``constant`` are given from outside.
    inputs : tuple of Value
        What it is made from.
    shape : tuple of int
        Its shape.
    static : dict
        Settings of the operation.
    """

    __slots__ = ("contiguous", "depends", "inputs", "number", "op", "shape", "static")

    def __init__(
        self, number: int, op: str, inputs: tuple[Value, ...], shape: Shape, static: dict[str, Any]
    ) -> None:
        self.number = number
        self.op = op
        self.inputs = inputs
        self.shape = shape
        self.static = static
        #: Whether it changes with the parameters.
        self.depends: bool = op == "parameter" or any(value.depends for value in inputs)
        #: Whether its numbers lie one after the other in memory.
        self.contiguous = self._is_contiguous()

    def _is_contiguous(self) -> bool:
        if self.op not in VIEWS or self.op in ("nll_value", "nll_slope"):
            return True
        return self.op == "reshape" and self.inputs[0].contiguous

    @property
    def size(self) -> int:
        """Number of its numbers."""
        return math.prod(self.shape)

    def is_number(self, number: float) -> bool:
        """Whether it is this constant."""
        return self.op == "constant" and self.shape == () and bool(self.static["array"] == number)

    def __repr__(self) -> str:
        return f"%{self.number} = {self.op}({', '.join(f'%{v.number}' for v in self.inputs)}) {self.shape}"


class Graph:
    """The values of a step, in an order in which they can be computed."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.values: list[Value] = []
        self._numbers: dict[float, Value] = {}

    def add(self, op: str, inputs: tuple[Value, ...], shape: Shape, **static: Any) -> Value:
        """Append a value."""
        value = Value(len(self.values), op, inputs, shape, static)
        self.values.append(value)
        return value

    def constant(self, array: Any) -> Value:
        """Return a constant; numbers are kept once."""
        array = np.asarray(array)
        if array.dtype.kind not in "fiub":
            raise NotStatic(f"a constant of {array.dtype} has no place in a recorded step; use numbers")
        array = np.ascontiguousarray(array, dtype=self.dtype).reshape(array.shape)
        if array.shape == ():
            known = self._numbers.get(float(array))
            if known is None:
                known = self._numbers[float(array)] = self.add("constant", (), (), array=array)
            return known
        return self.add("constant", (), array.shape, array=array)

    def apply(self, op: str, *inputs: Value) -> Value:
        """Append an elementwise operation; shapes broadcast."""
        if all(value.op == "constant" and value.shape == () for value in inputs) and op in _FOLDED:
            numbers = [value.static["array"] for value in inputs]
            return self.constant(_FOLDED[op](*numbers))
        if op == "multiply":
            for one, other in (inputs, inputs[::-1]):
                if _base(one).is_number(1.0) and _together(one.shape, other.shape) == other.shape:
                    return other
        return self.add(op, inputs, _together(*[value.shape for value in inputs]))

    def copied(self, x: Value) -> Value:
        """Return the value, copied if its numbers do not lie one after the other."""
        return x if x.contiguous else self.add("copy", (x,), x.shape)

    def reshape(self, x: Value, shape: Shape) -> Value:
        """See the value in another shape."""
        if shape == x.shape:
            return x
        if x.op == "broadcast" and x.inputs[0].size == 1:
            return self.broadcast(self.reshape(x.inputs[0], ()), shape)
        if x.op == "reshape" and x.inputs[0].shape == shape:
            return x.inputs[0]
        return self.add("reshape", (self.copied(x),), shape)

    def transpose(self, x: Value, axes: tuple[int, ...]) -> Value:
        """See the value with its axes in another order."""
        return self.add("transpose", (x,), tuple(x.shape[i] for i in axes), axes=axes)

    def broadcast(self, x: Value, shape: Shape) -> Value:
        """See the value repeated along axes."""
        return x if x.shape == shape else self.add("broadcast", (x,), shape)

    def cut(self, x: Value, key: Any) -> Value:
        """See a part of the value; by slices that go backwards and by arrays its numbers are taken out."""
        keys = key if isinstance(key, tuple) else (key,)
        seen = all(p is None or p is Ellipsis or isinstance(p, int | np.integer | slice) for p in keys)
        if seen and not any(isinstance(k, slice) and (k.step or 1) < 0 for k in keys):
            return self.add("slice", (x,), np.empty(x.shape, dtype=bool)[key].shape, key=key)
        places = np.arange(x.size, dtype=np.int64).reshape(x.shape)[key]
        return self.add("gather", (self.copied(x),), places.shape, places=np.ascontiguousarray(places))

    def lookup(self, x: Value, rows: int, asked: Value) -> Value:
        """Take rows of x, seen as a matrix of so many, whose numbers are in the data."""
        asked = self.copied(asked)
        width = x.size // rows
        return self.add("lookup", (self.copied(x), asked), (asked.size, width), rows=rows)

    def reduced(self, op: str, x: Value, axes: tuple[int, ...]) -> Value:
        """Sum or take the largest along axes."""
        if not axes:
            return x
        kept = tuple(n for i, n in enumerate(x.shape) if i not in axes)
        x = self.copied(x)
        if not kept:
            return self.add(op, (self.reshape(x, (x.size,)),), (), axis=0)
        for axis in sorted(axes, reverse=True):
            x = self.add(op, (x,), x.shape[:axis] + x.shape[axis + 1 :], axis=axis)
        return x

    def unbroadcast(self, g: Value, shape: Shape) -> Value:
        """Sum a cotangent over the axes along which a value of this shape was repeated."""
        if g.shape == shape:
            return g
        extra = len(g.shape) - len(shape)
        axes = tuple(range(extra)) + tuple(
            i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1
        )
        return self.reshape(self.reduced("sum", g, axes), shape)

    def product(self, a: Value, b: Value) -> Value:
        """Multiply two matrices; a stack of them on the left only."""
        if len(b.shape) != 2:
            raise NotStatic("a product with a stack of matrices cannot run as a recorded step")
        if len(a.shape) > 2:
            rows = self.reshape(a, (a.size // a.shape[-1], a.shape[-1]))
            return self.reshape(self.product(rows, b), (*a.shape[:-1], b.shape[1]))
        return self.add("matmul", (self._factor(a), self._factor(b)), (a.shape[0], b.shape[1]))

    def _factor(self, x: Value) -> Value:
        turned = x.op == "transpose" and x.inputs[0].contiguous
        return x if turned else self.copied(x)


def _together(*shapes: Shape) -> Shape:
    """Return the shape that these broadcast to."""
    wide = [shape for shape in shapes if shape]
    if all(shape == wide[0] for shape in wide):
        return wide[0] if wide else ()
    return np.broadcast_shapes(*wide)


def _base(x: Value) -> Value:
    """Return the number that is repeated, if it is one."""
    return x.inputs[0] if x.op == "broadcast" else x
