"""The two passes over all variables of a step of sequential minimal optimisation, as vector code.

They are written in LLVM's own vectors of 64 bytes, which LLVM lowers for any processor; a compiler does not
vectorise an argmax by itself. The maximum is kept a lane, with the start of the block it was seen in, and the
first of the best lanes wins, so that ties do not depend on the width of the machine.

A key is the slope at which a variable may move: F + up where it may grow, F + low where it may shrink. Where
it may not, the offset is ∓:data:`FAR`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["FAR", "LANES", "sweep_second", "sweep_update"]

FAR = 1e30
# Arrays are padded to a multiple of this many elements, whatever their type.
LANES = 16
# Rows of a large matrix come from memory; this many bytes ahead hides its latency.
AHEAD = 4096
FAST = ("nnan", "nsz", "arcp", "contract", "reassoc")
I32, I64 = ir.IntType(32), ir.IntType(64)


class _Vectors:
    """Vector arithmetic on one element type."""

    def __init__(self, context: Any, builder: Any, dtype: Any) -> None:
        self.context, self.b = context, builder
        single = dtype == types.float32
        self.suffix = "f32" if single else "f64"
        self.element = ir.FloatType() if single else ir.DoubleType()
        self.shift = 2 if single else 3
        self.floats = ir.VectorType(self.element, LANES)
        self.ints = ir.VectorType(I32, LANES)

    def constant(self, value: float) -> Any:
        return ir.Constant(self.floats, [value] * LANES)

    def zeros(self) -> Any:
        return ir.Constant(self.ints, [0] * LANES)

    def splat(self, x: Any, integer: bool = False) -> Any:
        kind = self.ints if integer else self.floats
        nothing = ir.Constant(kind, ir.Undefined)
        return self.b.shuffle_vector(
            self.b.insert_element(nothing, x, ir.Constant(I32, 0)), nothing, self.zeros()
        )

    def address(self, kind: Any, array: Any, row: Any = None) -> Any:
        made = self.context.make_array(kind)(self.context, self.b, array)
        start = self.b.bitcast(made.data, ir.IntType(8).as_pointer())
        if row is None:
            return start
        stride = cast(Any, cgutils).unpack_tuple(self.b, made.strides)[0]
        return self.b.gep(start, [self.b.mul(row, stride)])

    def _place(self, start: Any, k: Any) -> Any:
        place = self.b.gep(start, [self.b.shl(k, ir.Constant(I64, self.shift))])
        return self.b.bitcast(place, self.floats.as_pointer())

    def load(self, start: Any, k: Any) -> Any:
        return self.b.load(self._place(start, k), align=1 << self.shift)

    def store(self, value: Any, start: Any, k: Any) -> None:
        self.b.store(value, self._place(start, k), align=1 << self.shift)

    def prefetch(self, start: Any, k: Any) -> None:
        bytes_on = self.b.shl(k, ir.Constant(I64, self.shift))
        ahead = self.b.gep(start, [self.b.add(bytes_on, ir.Constant(I64, AHEAD))])
        kind = ir.FunctionType(ir.VoidType(), [ahead.type, I32, I32, I32])
        function = cast(Any, cgutils).get_or_insert_function(self.b.module, kind, "llvm.prefetch.p0")
        self.b.call(function, [ahead, *(ir.Constant(I32, value) for value in (0, 3, 1))])

    def _call(self, name: str, result: Any, arguments: list[Any], fast: tuple[str, ...] = ()) -> Any:
        kind = ir.FunctionType(result, [each.type for each in arguments])
        function = cast(Any, cgutils).get_or_insert_function(self.b.module, kind, name)
        return self.b.call(function, arguments, fastmath=fast)

    def multiply_add(self, x: Any, y: Any, z: Any) -> Any:
        return self._call(f"llvm.fmuladd.v{LANES}{self.suffix}", self.floats, [x, y, z], FAST)

    def reduce(self, operation: str, vector: Any) -> Any:
        name = f"llvm.vector.reduce.{operation}.v{LANES}{self.suffix}"
        return self._call(name, self.element, [vector], FAST)

    def larger(self, x: Any, y: Any) -> Any:
        return self.b.select(self.b.fcmp_ordered(">", x, y), x, y)

    def smaller(self, x: Any, y: Any) -> Any:
        return self.b.select(self.b.fcmp_ordered("<", x, y), x, y)

    def first_of_best(self, values: Any, starts: Any) -> tuple[Any, Any]:
        """Return the largest of the lanes and the place in the array where it was seen."""
        best = self.reduce("fmax", values)
        hit = self.b.fcmp_ordered("==", values, self.splat(best))
        mask = self.b.bitcast(hit, ir.IntType(LANES))
        count = [mask, ir.Constant(ir.IntType(1), 1)]
        lane = self.b.zext(self._call(f"llvm.cttz.i{LANES}", mask.type, count), I32)
        return best, self.b.zext(self.b.add(self.b.extract_element(starts, lane), lane), I64)


def _loop(v: _Vectors, n: Any, first: list[Any], body: Callable[[Any, list[Any]], list[Any]]) -> list[Any]:
    """Run ``body(k, state)`` for k = 0, LANES, … below n and return the last state."""
    b, head = v.b, v.b.block
    inside, after = b.function.append_basic_block("sweep"), b.function.append_basic_block("swept")
    b.branch(inside)
    b.position_at_end(inside)
    k = b.phi(I64)
    k.add_incoming(ir.Constant(I64, 0), head)
    state = []
    for value in first:
        phi = b.phi(value.type)
        phi.add_incoming(value, head)
        state.append(phi)
    new = body(k, state)
    following = b.add(k, ir.Constant(I64, LANES), flags=("nsw",))
    k.add_incoming(following, inside)
    for phi, value in zip(state, new, strict=True):
        phi.add_incoming(value, inside)
    b.cbranch(b.icmp_signed("<", following, n), inside, after)
    b.position_at_end(after)
    return new


def _block(v: _Vectors, k: Any) -> Any:
    return v.splat(v.b.trunc(k, I32), integer=True)


def _sweep_update(typing: Any, K: Any, F: Any, up: Any, low: Any, i: Any, j: Any, t: Any, n: Any) -> Any:
    """Take t·(K[i] − K[j]) off F; return the largest up key, its place and the smallest low key."""
    kind = F.dtype
    results = cast(Any, types).Tuple((kind, types.int64, kind))
    signature = results(K, F, up, low, types.int64, types.int64, kind, types.int64)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        v = _Vectors(context, builder, kind)
        row_i = v.address(sig.args[0], args[0], args[4])
        row_j = v.address(sig.args[0], args[0], args[5])
        at_F, at_up, at_low = (v.address(sig.args[k], args[k]) for k in (1, 2, 3))
        minus, plus = v.splat(builder.fneg(args[6])), v.splat(args[6])

        def body(k: Any, state: list[Any]) -> list[Any]:
            most, where, least = state
            v.prefetch(row_j, k)
            f = v.multiply_add(minus, v.load(row_i, k), v.load(at_F, k))
            f = v.multiply_add(plus, v.load(row_j, k), f)
            v.store(f, at_F, k)
            grows, shrinks = builder.fadd(f, v.load(at_up, k)), builder.fadd(f, v.load(at_low, k))
            better = builder.fcmp_ordered(">", grows, most)
            return [
                builder.select(better, grows, most),
                builder.select(better, _block(v, k), where),
                v.smaller(shrinks, least),
            ]

        most, where, least = _loop(v, args[7], [v.constant(-3e38), v.zeros(), v.constant(3e38)], body)
        best, place = v.first_of_best(most, where)
        return context.make_tuple(builder, sig.return_type, [best, place, v.reduce("fmin", least)])

    return signature, generate


def _sweep_second(
    typing: Any, K: Any, F: Any, low: Any, diagonal: Any, i: Any, best: Any, corner: Any, tiny: Any, n: Any
) -> Any:
    """Return where (best − key)² / max(Kᵢᵢ + Kⱼⱼ − 2Kᵢⱼ, tiny) is largest over low keys below best."""
    kind = F.dtype
    signature = types.int64(K, F, low, diagonal, types.int64, kind, kind, kind, types.int64)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        v = _Vectors(context, builder, kind)
        row = v.address(sig.args[0], args[0], args[4])
        at_F, at_low, at_diagonal = (v.address(sig.args[k], args[k]) for k in (1, 2, 3))
        top, mine, least = v.splat(args[5]), v.splat(args[6]), v.splat(args[7])
        nought, minus_two = v.constant(0.0), v.constant(-2.0)

        def body(k: Any, state: list[Any]) -> list[Any]:
            gain, where = state
            v.prefetch(row, k)
            key = builder.fadd(v.load(at_F, k), v.load(at_low, k))
            drop = v.larger(builder.fsub(top, key), nought)
            curve = v.multiply_add(minus_two, v.load(row, k), builder.fadd(mine, v.load(at_diagonal, k)))
            value = builder.fdiv(builder.fmul(drop, drop), v.larger(curve, least), flags=FAST)
            better = builder.fcmp_ordered(">", value, gain)
            return [builder.select(better, value, gain), builder.select(better, _block(v, k), where)]

        gain, where = _loop(v, args[8], [v.constant(-1.0), v.zeros()], body)
        return v.first_of_best(gain, where)[1]

    return signature, generate


# The compiler passes the typing context itself, so a caller gives one argument less than these take.
sweep_update: Any = intrinsic(_sweep_update)
sweep_second: Any = intrinsic(_sweep_second)
