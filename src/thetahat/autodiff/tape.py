"""The record of a computation, and the way back through it. Knows no operation.

Every traced value is a :class:`Node` that remembers the primitive which made it, that primitive's
inputs and its static arguments. Nodes point only backwards, so a finished computation is freed as
soon as its last value is dropped, and no state is shared between threads or nested transformations.

The chain rule ∇_X z = Σ_j (∇_X Y_j) ∂z/∂Y_j is :class:`WayBack`. It runs on plain arrays; where a
node descends from a leaf of a transformation that is still running, it runs on nodes instead, so the
derivative is itself recorded and can be differentiated again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from thetahat.errors import UsageError

__all__ = ["Node", "Primitive", "WayBack"]

Pullback = Callable[..., Any]

_clock = itertools.count()


class Primitive:
    """An operation that is differentiated by rule, not by looking inside it.

    Parameters
    ----------
    name : str
        What messages call it.
    forward : callable
        Plain arrays and static keyword arguments to an array, or to a tuple of arrays.
    pullbacks : sequence of callable or None, or a callable
        For each positional input ``(g, ans, *inputs, **static)`` to that input's cotangent, ``None``
        where there is no derivative. A single callable serves any number of inputs and takes the
        input's number first. ``g`` is the cotangent of the output; with several outputs ``g`` and
        ``ans`` are tuples, and a part of ``g`` is ``None`` where that output was not used.
    outputs : int
        0 for a single array, otherwise the length of the tuple that ``forward`` returns.
    cure : str
        What a person can do where an input without a rule is differentiated.
    """

    __slots__ = ("cure", "forward", "name", "outputs", "pullbacks", "total", "variadic")

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        pullbacks: Sequence[Pullback | None] | Pullback,
        *,
        outputs: int = 0,
        cure: str = "",
    ) -> None:
        self.name = name
        self.forward = forward
        self.variadic: Pullback | None = pullbacks if callable(pullbacks) else None
        self.pullbacks: tuple[Pullback | None, ...] = () if callable(pullbacks) else tuple(pullbacks)
        self.outputs = outputs
        self.cure = cure
        self.total = self.variadic is not None or None not in self.pullbacks

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __call__(self, *args: Any, **static: Any) -> Any:
        """Apply to arrays, or record on the tape where an input is traced."""
        parents = tuple([(i, arg) for i, arg in enumerate(args) if isinstance(arg, Node)])
        if not parents:
            return self.forward(*args, **static)
        if not self.total:
            self._refuse_inputs_without_rule(parents)
        value = self.forward(*[arg.value if isinstance(arg, Node) else arg for arg in args], **static)
        kind = type(parents[0][1])
        node = kind(value, self, args, static, parents)
        if not self.outputs:
            return node
        return node.parts()

    def _refuse_inputs_without_rule(self, parents: Iterable[tuple[int, Node]]) -> None:
        for i, _ in parents:
            if self.pullbacks[i] is None:
                cure = self.cure or (
                    "Pass it through thetahat.autodiff.stop_gradient, or give a rule with "
                    "thetahat.autodiff.primitive"
                )
                raise UsageError(f"{self.name} has no derivative in its argument number {i}. {cure}.")

    def pull(self, i: int, g: Any, ans: Any, args: Sequence[Any], static: dict[str, Any]) -> Any:
        """Return the cotangent of input ``i``."""
        if self.variadic is not None:
            return self.variadic(i, g, ans, *args, **static)
        rule = self.pullbacks[i]
        assert rule is not None  # refused when recorded
        return rule(g, ans, *args, **static)


class Node:
    """A value on the tape.

    Parameters
    ----------
    value : ndarray, NumPy scalar, or a tuple of them
        What was computed.
    op : Primitive, optional
        What computed it; ``None`` for a leaf.
    args : tuple
        The positional inputs as given, traced or plain.
    static : dict
        The keyword arguments, never traced.
    parents : tuple of (int, Node)
        The traced inputs and their positions.
    """

    __slots__ = ("__weakref__", "active", "args", "op", "parents", "serial", "static", "value")

    def __init__(
        self,
        value: Any,
        op: Primitive | None = None,
        args: tuple[Any, ...] = (),
        static: dict[str, Any] | None = None,
        parents: tuple[tuple[int, Node], ...] = (),
    ) -> None:
        self.value = value
        self.op = op
        self.args = args
        self.static = {} if static is None else static
        self.parents = parents
        self.serial = next(_clock)
        self.active = False

    def parts(self) -> tuple[Any, ...]:
        """Return the outputs of a primitive that has several, each as a node of its own."""
        return tuple(_PART(self, index=i) for i in range(len(self.value)))


def _pull_part(g: Any, _ans: Any, bundle: Any, *, index: int) -> tuple[Any, ...]:
    # On arrays a bundle is the tuple of its values; on nodes it is the node that holds them.
    size = len(bundle.value) if isinstance(bundle, Node) else len(bundle)
    return tuple(g if i == index else None for i in range(size))


_PART = Primitive("part", lambda bundle, *, index: bundle[index], [_pull_part])


class WayBack:
    """The part of a computation that leads from an output to some leaves, walked as often as needed.

    Parameters
    ----------
    output : Node
        Where cotangents enter.
    leaves : sequence of Node
        Where they are wanted.

    Attributes
    ----------
    traced : bool
        Whether the derivative belongs to a computation that is itself being differentiated, so that
        it must be recorded.
    """

    def __init__(self, output: Node, leaves: Sequence[Node]) -> None:
        self._output = output
        self._leaves = tuple(leaves)
        mine = {id(leaf) for leaf in leaves}
        known = {id(output): output}
        stack = [output]
        self.traced = False
        while stack:
            node = stack.pop()
            if node.active and id(node) not in mine:
                self.traced = True
            for _, parent in node.parents:
                if id(parent) not in known:
                    known[id(parent)] = parent
                    stack.append(parent)
        leading = set(mine)
        steps: list[tuple[Node, list[tuple[int, Node]]]] = []
        for node in sorted(known.values(), key=_serial):
            if id(node) in mine:
                continue
            wanted = [(i, parent) for i, parent in node.parents if id(parent) in leading]
            if wanted:
                leading.add(id(node))
                steps.append((node, wanted))
        steps.reverse()
        self._steps = steps

    def __call__(self, seed: Any) -> list[Any]:
        """Return the cotangent of every leaf, ``None`` where the output does not depend on it."""
        traced = self.traced or isinstance(seed, Node)
        cotangents: dict[int, Any] = {id(self._output): seed}
        for node, wanted in self._steps:
            g = cotangents.pop(id(node), None)
            if g is None:
                continue
            op = node.op
            assert op is not None  # only leaves have none, and they have no parents
            args: Sequence[Any]
            ans: Any
            if traced:
                args = node.args
                ans = node.parts() if op.outputs else node
            else:
                args = [arg.value if isinstance(arg, Node) else arg for arg in node.args]
                ans = node.value
            for i, parent in wanted:
                part = op.pull(i, g, ans, args, node.static)
                if part is None:
                    continue
                part = _conform(part, parent, op, i)
                key = id(parent)
                known = cotangents.get(key)
                cotangents[key] = part if known is None else _add(known, part)
        return [cotangents.get(id(leaf)) for leaf in self._leaves]


def _serial(node: Node) -> int:
    return node.serial


def _conform(part: Any, parent: Node, op: Primitive, i: int) -> Any:
    """Check that a cotangent lies in the space of its value, and give it that space's precision."""
    value = parent.value
    if type(part) is tuple:
        return part
    if not hasattr(part, "shape"):
        part = np.asarray(part)
    if part.shape != value.shape:
        raise UsageError(
            f"The pullback of {op.name} for its argument number {i} returned shape {part.shape}; "
            f"the argument has shape {value.shape}. Return a cotangent of the argument's shape."
        )
    if part.dtype != value.dtype:
        return part.astype(value.dtype)
    return part


def _add(a: Any, b: Any) -> Any:
    if type(a) is tuple:
        return tuple(y if x is None else x if y is None else _add(x, y) for x, y in zip(a, b, strict=True))
    return a + b
