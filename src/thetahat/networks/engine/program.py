"""A graph laid out in memory and written as whole numbers for the interpreter.

Every value is a NumPy array over memory that is reused as soon as its last reader is done, so that
a small network stays in the processor's nearest cache; views are NumPy's own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray
from thetahat.networks.engine import instructions as code
from thetahat.networks.engine.fusion import IN_PLACE, fuse, needed
from thetahat.networks.engine.graph import VIEWS, Graph, NotStatic, Value

__all__ = ["Program"]

_LINE = 64  # bytes of a cache line


class Program:
    """One step on batches of one size, ready to be run.

    Attributes
    ----------
    instructions : ndarray of shape (m, WIDTH), int64
        One a row; addresses are of memory that this object keeps.
    products : list of (int, ndarray, ndarray, ndarray)
        The matrix products among them: place, two factors, result.
    inputs : dict of str to ndarray
        Where the batch is read from.
    loss : ndarray of shape (1,)
        Where the loss is written.
    """

    def __init__(
        self,
        graph: Graph,
        loss: Value,
        gradients: list[Value],
        inputs: dict[str, Value],
        parameters: list[FloatArray],
        gradient_memory: list[FloatArray],
    ) -> None:
        self._dtype = graph.dtype
        wanted = [loss, *gradients]
        fuse(graph, wanted)
        values = needed(graph, wanted)
        self._arrays: dict[int, NDArray[Any]] = {}
        self._rows: list[list[int]] = []
        self._kept: list[Any] = [parameters, gradient_memory]
        self._widest = 1
        self.products: list[tuple[int, NDArray[Any], NDArray[Any], NDArray[Any]]] = []
        self.inputs: dict[str, NDArray[Any]] = {}
        self.loss = np.zeros(1, self._dtype)
        self._place_outside(values, inputs, parameters)
        self._results = self._claim([*gradients, loss], [*gradient_memory, self.loss])
        self._lay_out(values, wanted)
        for value in values:
            if value.op not in ("parameter", "input", "constant") and value.op not in VIEWS:
                self._encode(value)
        for value, target in zip(gradients, gradient_memory, strict=True):
            array = self._arrays[value.number]
            if array.ctypes.data != target.ctypes.data or value.op == "broadcast":
                self._elementwise("copy", target, [array])
        if loss.number not in self._results:
            self._elementwise("copy", self.loss, [self._arrays[loss.number].reshape(1)])
        self.instructions = np.zeros((len(self._rows), code.WIDTH), np.int64)
        for place, row in enumerate(self._rows):
            self.instructions[place, : len(row)] = row
        self.scratch = np.zeros((3, self._widest), self._dtype)

    # Memory.

    def _place_outside(
        self, values: list[Value], inputs: dict[str, Value], parameters: list[FloatArray]
    ) -> None:
        names = {value.number: name for name, value in inputs.items()}
        for value in values:
            if value.op == "parameter":
                self._arrays[value.number] = parameters[value.static["place"]]
            elif value.op == "constant":
                array = np.array(value.static["array"], dtype=self._dtype, order="C")
                self._arrays[value.number] = array
            elif value.op == "input":
                array = _aligned(value.size, self._dtype).reshape(value.shape)
                self._arrays[value.number] = self.inputs[names[value.number]] = array

    def _claim(self, gradients: list[Value], memory: list[FloatArray]) -> dict[int, NDArray[Any]]:
        """Let the last step of each gradient write where the optimiser reads."""
        claimed: dict[int, NDArray[Any]] = {}
        for value, target in zip(gradients, memory, strict=True):
            root = value
            while root.op == "reshape":
                root = root.inputs[0]
            outside = root.op in ("parameter", "input", "constant")
            if outside or root.op in VIEWS or root.op in IN_PLACE or root.number in claimed:
                continue
            claimed[root.number] = target.reshape(root.shape)
        return claimed

    def _lay_out(self, values: list[Value], wanted: list[Value]) -> None:
        root, last = _lifetimes(values, wanted)
        heap = _Heap(self._dtype.itemsize)
        places: dict[int, int] = {}
        for time, value in enumerate(values):
            fresh = root[value.number] == value.number and value.number not in self._arrays
            if fresh and value.number not in self._results:
                places[value.number] = heap.take(value.size)
            done = {root[x.number] for x in (value, *value.inputs)}
            for number in done:
                if number in places and last[number] == time:
                    heap.release(places[number])
        memory = _aligned(heap.top, self._dtype)
        self._kept.append(memory)
        for value in values:
            if value.number in self._arrays:
                continue
            if value.number in self._results:
                self._arrays[value.number] = self._results[value.number]
            elif value.number in places:
                start = places[value.number]
                self._arrays[value.number] = memory[start : start + value.size].reshape(value.shape)
            else:
                self._arrays[value.number] = self._view(value)

    def _view(self, value: Value) -> NDArray[Any]:
        base = self._arrays[value.inputs[0 if value.op in IN_PLACE else -1].number]
        if value.op in IN_PLACE:
            return base
        if value.op == "transpose":
            return base.transpose(value.static["axes"])
        if value.op == "slice":
            return _part(base, value.static["key"])
        if value.op == "broadcast":
            return np.broadcast_to(base, value.shape)
        if value.op == "nll_value":
            return base[: value.size]
        if value.op == "nll_slope":
            return base[len(base) - value.size :].reshape(value.shape)
        return base.reshape(value.shape)

    # Instructions.

    def _encode(self, value: Value) -> None:
        out = self._arrays[value.number]
        ins = [self._arrays[x.number] for x in value.inputs]
        if value.op == "matmul":
            self._matmul(ins[0], ins[1], out)
        elif value.op in ("bias_relu", "bias_add"):
            number = code.BIAS_RELU if value.op == "bias_relu" else code.BIAS_ADD
            self._rows.append([number, *out.shape, _at(out), _at(ins[1])])
        elif value.op == "relu_back":
            self._rows.append([code.RELU_BACK, *out.shape, _at(out), _at(ins[1])])
        elif value.op in ("sum", "max"):
            self._reduce(value, ins[0], out)
        elif value.op == "nll":
            self._nll(value, ins, out)
        elif value.op == "scatter":
            self._rows.append([code.ZERO, out.size, _at(out)])
            self._put(_part(out, value.static["key"]), ins[0])
        elif value.op == "concatenate":
            start, axis = 0, value.static["axis"]
            for part in ins:
                stop = start + part.shape[axis]
                self._put(out[(slice(None),) * axis + (slice(start, stop),)], part)
                start = stop
        else:
            self._elementwise(value.op, out, ins)

    def _matmul(self, a: NDArray[Any], b: NDArray[Any], out: NDArray[Any]) -> None:
        (m, k), n = a.shape, b.shape[1]
        ta, tb = not a.flags.c_contiguous, not b.flags.c_contiguous
        self.products.append((len(self._rows), a, b, out))
        lda, ldb = (m if ta else k), (k if tb else n)
        self._rows.append([code.PRODUCT, m, n, k, int(ta), int(tb), _at(a), lda, _at(b), ldb, _at(out), n])

    def _reduce(self, value: Value, source: NDArray[Any], out: NDArray[Any]) -> None:
        axis = value.static["axis"]
        outer, inner = int(np.prod(source.shape[:axis])), int(np.prod(source.shape[axis + 1 :]))
        length = source.shape[axis]
        last = self._rows[-1] if self._rows else [-1]
        if value.op == "sum" and outer == 1 and last[0] == code.RELU_BACK and last[3] == _at(source):
            last[0] = code.RELU_BACK_SUM
            last.append(_at(out))
            return
        number = code.SUM if value.op == "sum" else code.MAX
        self._rows.append([number, outer, length, inner, _at(source), _at(out)])

    def _nll(self, value: Value, ins: list[NDArray[Any]], out: NDArray[Any]) -> None:
        sd = np.array([value.static["sd"]], self._dtype)
        self._kept.append(sd)
        n, k = ins[0].shape
        row = [code.NLL, value.static["family"], n, k, _at(ins[0]), _at(ins[1]), _at(out), _at(sd)]
        self._rows.append(row)

    def _elementwise(self, op: str, out: NDArray[Any], ins: list[NDArray[Any]]) -> None:
        number = code.ELEMENTWISE.get(op)
        if number is None:
            raise NotStatic(f"{op} cannot run as a recorded step")
        if op in code.COMMUTES and ins[0].size == 1 and ins[1].size > 1:
            ins = ins[::-1]
        wide = [np.broadcast_to(x, out.shape) for x in ins]
        lengths, strides = _collapsed(out, wide)
        self._widest = max(self._widest, lengths[-1])
        row = [number, *lengths, _at(out)]
        for x, steps in zip(wide, strides[1:], strict=True):
            row += [_at(x), *steps]
        while len(row) < 21:  # operands that are not there repeat the first, and cost nothing
            row += row[6:11] if row[10] == 1 else [_at(out), *strides[0]]
        self._rows.append(row)

    def _put(self, target: NDArray[Any], source: NDArray[Any]) -> None:
        lengths, (to, of) = _collapsed(target, [np.broadcast_to(source, target.shape)])
        self._rows.append([code.PLACE, *lengths, _at(target), *to, _at(source), *of])


def _lifetimes(values: list[Value], wanted: list[Value]) -> tuple[dict[int, int], dict[int, int]]:
    """Return whose memory each value is, and when each memory is last read."""
    root: dict[int, int] = {}
    for value in values:
        shared = value.op in VIEWS or value.op in IN_PLACE
        base = value.inputs[0 if value.op in IN_PLACE else -1] if shared else value
        root[value.number] = root[base.number] if shared else value.number
    last: dict[int, int] = {}
    for time, value in enumerate(values):
        for x in (value, *value.inputs):
            last[root[x.number]] = time
    for value in wanted:
        last[root[value.number]] = len(values)
    return root, last


def _at(array: NDArray[Any]) -> int:
    return int(array.ctypes.data)


def _part(array: NDArray[Any], key: Any) -> NDArray[Any]:
    """Index by slices and whole numbers; a single number stays an array."""
    keys = key if isinstance(key, tuple) else (key,)
    found: NDArray[Any] = array[keys if any(k is Ellipsis for k in keys) else (*keys, ...)]
    return found


def _aligned(size: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return zeros that begin at a cache line."""
    extra = _LINE // dtype.itemsize
    memory = np.zeros(size + extra, dtype)
    start = (-memory.ctypes.data // dtype.itemsize) % extra
    return memory[start : start + size]


def _collapsed(out: NDArray[Any], ins: list[NDArray[Any]]) -> tuple[list[int], list[list[int]]]:
    """Return four lengths, and each array's four strides in numbers, with axes merged where all allow it."""
    arrays = [out, *ins]
    lengths: list[int] = []
    strides: list[list[int]] = [[] for _ in arrays]
    for axis, n in enumerate(out.shape):
        if n == 1:
            continue
        steps = [x.strides[axis] // x.itemsize for x in arrays]
        if lengths and all(have[-1] == step * n for have, step in zip(strides, steps, strict=True)):
            lengths[-1] *= n
            for have, step in zip(strides, steps, strict=True):
                have[-1] = step
        else:
            lengths.append(n)
            for have, step in zip(strides, steps, strict=True):
                have.append(step)
    if not lengths:
        lengths = [1]
        strides = [[1] for _ in arrays]
    if len(lengths) > 4:
        raise NotStatic("an array of more than four axes that cannot be merged cannot run as a recorded step")
    missing = 4 - len(lengths)
    return [1] * missing + lengths, [[0] * missing + have for have in strides]


class _Heap:
    """Memory in cache lines, given again after its release."""

    def __init__(self, itemsize: int) -> None:
        self._grain = _LINE // itemsize
        self._free: list[tuple[int, int]] = []
        self._taken: dict[int, int] = {}
        self.top = 0

    def take(self, size: int) -> int:
        size = max(1, -(-size // self._grain)) * self._grain
        for place, (start, length) in enumerate(self._free):
            if length >= size:
                rest = (start + size, length - size)
                self._free[place : place + 1] = [rest] if rest[1] else []
                self._taken[start] = size
                return start
        start, self.top = self.top, self.top + size
        self._taken[start] = size
        return start

    def release(self, start: int) -> None:
        self._free.append((start, self._taken.pop(start)))
        self._free.sort()
        merged: list[tuple[int, int]] = []
        for begin, length in self._free:
            if merged and sum(merged[-1]) == begin:
                merged[-1] = (merged[-1][0], merged[-1][1] + length)
            else:
                merged.append((begin, length))
        self._free = merged
