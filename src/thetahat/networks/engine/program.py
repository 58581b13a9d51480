"""A graph laid out in memory and written as instructions for the interpreter.

Every value is a NumPy array over memory that is reused as soon as its last reader is done, so that
a small network stays in the processor's nearest cache; views are NumPy's own.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray
from thetahat.networks.engine.fusion import IN_PLACE, fuse, needed
from thetahat.networks.engine.graph import VIEWS, Graph, NotStatic, Value
from thetahat.networks.engine.instructions import COMMUTES, WIDTH, kernel_address
from thetahat.networks.engine.loops import ELEMENTWISE, SCRATCH_HEAD, WITH_NUMBER
from thetahat.networks.engine.memory import gemm_address

__all__ = ["Program", "address_of", "as_table"]

_LINE = 64  # bytes of a cache line
# What BLAS reads by address: the letters N and T, and the numbers one and zero.
_LETTERS = np.frombuffer(b"NT", np.uint8).copy()
_ONE_ZERO = {np.dtype(kind): np.array([1, 0], kind) for kind in (np.float32, np.float64)}


class Program:
    """One step on batches of one size, ready to be run.

    Attributes
    ----------
    instructions : ndarray of shape (m, WIDTH), int64
        One a row; addresses are of memory that this object keeps, of kernels, and of BLAS.
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
        self._walks: list[list[int]] = []
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
            if address_of(array) != address_of(target) or value.op == "broadcast":
                self._elementwise("copy", target, [array])
        if loss.number not in self._results:
            self._elementwise("copy", self.loss, [self._arrays[loss.number].reshape(1)])
        scratch = _aligned(SCRATCH_HEAD // self._dtype.itemsize + 3 * self._widest, self._dtype)
        self._kept.append(scratch)
        for row in self._walks:
            row[22] = address_of(scratch)
        self.instructions = as_table(self._rows)

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

    def _say(self, kernel: str, *arguments: int) -> list[int]:
        row = [kernel_address(kernel, self._dtype), *arguments]
        self._rows.append(row)
        return row

    def _encode(self, value: Value) -> None:
        out = self._arrays[value.number]
        ins = [self._arrays[x.number] for x in value.inputs]
        if value.op == "matmul":
            self._matmul(ins[0], ins[1], out)
        elif value.op in IN_PLACE:
            self._say(value.op, *out.shape, address_of(out), address_of(ins[1]))
        elif value.op in ("sum", "max"):
            self._reduce(value, ins[0], out)
        elif value.op == "nll":
            self._nll(value, ins, out)
        elif value.op == "scatter":
            self._say("zero_out", out.size, address_of(out))
            self._put(_part(out, value.static["key"]), ins[0])
        elif value.op in ("gather", "scatter_add", "lookup", "lookup_back"):
            self._indexed(value, ins, out)
        elif value.op == "concatenate":
            start, axis = 0, value.static["axis"]
            for part in ins:
                stop = start + part.shape[axis]
                self._put(out[(slice(None),) * axis + (slice(start, stop),)], part)
                start = stop
        else:
            self._elementwise(value.op, out, ins)

    def _matmul(self, a: NDArray[Any], b: NDArray[Any], out: NDArray[Any]) -> None:
        """C = A B row by row is Cᵀ = Bᵀ Aᵀ column by column, which is what BLAS computes."""
        (m, k), n = a.shape, b.shape[1]
        ta, tb = not a.flags.c_contiguous, not b.flags.c_contiguous
        self.products.append((len(self._rows), a, b, out))
        sizes = np.array([n, m, k, k if tb else n, m if ta else k, n], np.int32)
        self._kept.append(sizes)
        letters, one, size = address_of(_LETTERS), address_of(_ONE_ZERO[self._dtype]), address_of(sizes)
        zero = one + self._dtype.itemsize
        self._say(
            "product", gemm_address(self._dtype), letters + int(tb), letters + int(ta), size, size + 4,
            size + 8, one, address_of(b), size + 12, address_of(a), size + 16, zero, address_of(out),
            size + 20,
        )  # fmt: skip

    def _reduce(self, value: Value, source: NDArray[Any], out: NDArray[Any]) -> None:
        axis = value.static["axis"]
        outer, inner = math.prod(source.shape[:axis]), math.prod(source.shape[axis + 1 :])
        length = source.shape[axis]
        cut = [kernel_address("relu_back", self._dtype), length, inner, address_of(source)]
        if value.op == "sum" and outer == 1 and self._rows and self._rows[-1][:4] == cut:
            self._rows[-1][0] = kernel_address("relu_back_sum", self._dtype)
            self._rows[-1].append(address_of(out))
            return
        kernel = "total" if value.op == "sum" else "largest"
        self._say(kernel, outer, length, inner, address_of(source), address_of(out), self._dtype.itemsize)

    def _nll(self, value: Value, ins: list[NDArray[Any]], out: NDArray[Any]) -> None:
        n, k = ins[0].shape
        numbers = np.zeros(2 + n * (k + 1), self._dtype)
        numbers[:2] = value.static["sd"], value.static.get("scale", 1.0)
        self._kept.append(numbers)
        size = self._dtype.itemsize
        at = address_of(numbers)
        self._say(
            value.static["family"],
            n,
            k,
            address_of(ins[0]),
            address_of(ins[1]),
            address_of(out),
            at,
            at + size,
            size,
            at + 2 * size,
        )

    def _indexed(self, value: Value, ins: list[NDArray[Any]], out: NDArray[Any]) -> None:
        back = value.op in ("scatter_add", "lookup_back")
        inside, other = (ins[0], out) if back else (out, ins[0])
        if back:
            self._say("zero_out", out.size, address_of(out))
        if value.op in ("gather", "scatter_add"):
            places = value.static["places"]
            self._kept.append(places)
            self._say(value.op, inside.size, address_of(inside), address_of(other), address_of(places))
        else:
            asked, rows = ins[1], value.static["rows"]
            width = other.size // rows
            self._say(
                value.op, asked.size, width, rows, address_of(inside), address_of(other), address_of(asked)
            )

    def _elementwise(self, op: str, out: NDArray[Any], ins: list[NDArray[Any]]) -> None:
        if op not in ELEMENTWISE:
            raise NotStatic(f"{op} cannot run as a recorded step")
        if op in COMMUTES and ins[0].size == 1 and ins[1].size > 1:
            ins = ins[::-1]
        wide = [x if x.shape == out.shape else np.broadcast_to(x, out.shape) for x in ins]
        lengths, strides = _collapsed(out, wide)
        n = lengths[-1]
        if op in WITH_NUMBER and strides[2][-1] == 0:
            op = f"{op} number"
            strides[2][-1] = 1  # it reads one number, and nothing is to be brought together
        if lengths[:3] == [1, 1, 1] and all(steps[-1] == 1 for steps in strides):
            self._say(op, n, address_of(out), *[address_of(x) for x in wide])
            return
        self._widest = max(self._widest, n)
        row = self._say("walk", kernel_address(op, self._dtype), *lengths, address_of(out))
        for x, steps in zip(wide, strides[1:], strict=True):
            row += [address_of(x), *steps]
        while len(row) < 22:  # operands that are not there cost nothing
            row += [address_of(out), *strides[0]]
        row += [0, self._dtype.itemsize]
        self._walks.append(row)

    def _put(self, target: NDArray[Any], source: NDArray[Any]) -> None:
        lengths, (to, of) = _collapsed(target, [np.broadcast_to(source, target.shape)])
        self._say("place", *lengths, address_of(target), *to, address_of(source), *of, self._dtype.itemsize)


def as_table(rows: list[list[int]]) -> NDArray[np.int64]:
    """Return instructions as the interpreter reads them."""
    table = np.zeros((len(rows), WIDTH), np.int64)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table


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


def address_of(array: NDArray[Any]) -> int:
    """Return where an array's numbers begin."""
    address: int = array.__array_interface__["data"][0]
    return address


def _part(array: NDArray[Any], key: Any) -> NDArray[Any]:
    """Index by slices and whole numbers; a single number stays an array."""
    keys = key if isinstance(key, tuple) else (key,)
    found: NDArray[Any] = array[keys if any(k is Ellipsis for k in keys) else (*keys, ...)]
    return found


def _aligned(size: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return zeros that begin at a cache line."""
    extra = _LINE // dtype.itemsize
    memory = np.zeros(size + extra, dtype)
    start = (-address_of(memory) // dtype.itemsize) % extra
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
