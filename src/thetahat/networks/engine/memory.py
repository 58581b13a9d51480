"""What compiled code needs of raw memory: an array at an address, and a BLAS product by address.

Addresses are integers passed at each call. A function pointer frozen into compiled code would keep it
from being cached on disk, and be wrong in the next process.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

from thetahat.numerics.compiled import kernel

__all__ = ["array_at", "gemm_address", "matrix_at", "product"]


def gemm_address(dtype: np.dtype[Any]) -> int:
    """Return the address of scipy's general matrix product in this precision."""
    name = "sgemm" if dtype == np.float32 else "dgemm"
    return int(get_cython_function_address("scipy.linalg.cython_blas", name))


def _pointer(_typing: Any, address: Any, like: Any) -> Any:
    """Return a pointer to the numbers at an address, of the kind that ``like`` holds."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    kind: Any = types
    return kind.CPointer(like.dtype)(types.int64, like), generate


pointer: Any = intrinsic(_pointer)


def _call_at(_typing: Any, address: Any, arguments: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        function = builder.inttoptr(args[0], ir.FunctionType(ir.VoidType(), [word] * 13).as_pointer())
        unpack: Any = cgutils.unpack_tuple
        builder.call(function, unpack(builder, args[1], 13))
        return context.get_dummy_value()

    kind: Any = types
    return types.void(types.int64, kind.UniTuple(types.int64, 13)), generate


_call: Any = intrinsic(_call_at)
_carray: Any = numba.carray  # type: ignore[attr-defined]


@kernel
def product(gemm: int, row: Any, integers: Any, where: Any) -> None:
    """Compute C = op(A) op(B), row by row, as Cᵀ = op(B)ᵀ op(A)ᵀ column by column.

    ``row`` is [_, M, N, K, A transposed, B transposed, address and row length of A, of B, of C];
    ``where`` holds the addresses of ``integers``, of the numbers one and zero, and of the letters N, T.
    """
    integers[0] = row[2]
    integers[1] = row[1]
    integers[2] = row[3]
    integers[3] = row[9]
    integers[4] = row[7]
    integers[5] = row[11]
    i, one, zero, letters = where[0], where[1], where[2], where[3]
    _call(
        gemm,
        (
            letters + row[5], letters + row[4], i, i + 4, i + 8, one, row[8], i + 12, row[6], i + 16,
            zero, row[10], i + 20,
        ),
    )  # fmt: skip


@kernel
def array_at(address: int, n: int, like: Any) -> Any:
    """Return the n numbers at an address, of the kind that ``like`` holds."""
    return _carray(pointer(address, like), (n,))


@kernel
def matrix_at(address: int, rows: int, columns: int, like: Any) -> Any:
    """Return the matrix at an address, row by row."""
    return _carray(pointer(address, like), (rows, columns))
