"""What compiled code needs of raw memory: numbers at an address, and calls of functions by address.

Addresses are whole numbers in the program, which is data. A function pointer frozen into compiled code
would keep it from being cached on disk, and be wrong in the next process.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

from thetahat.numerics.compiled import inlined

__all__ = ["call_gemm", "call_kernel", "gemm_address", "matrix_at", "numbers_at", "words_at"]


def gemm_address(dtype: np.dtype[Any]) -> int:
    """Return the address of scipy's general matrix product in this precision."""
    name = "sgemm" if dtype == np.float32 else "dgemm"
    return int(get_cython_function_address("scipy.linalg.cython_blas", name))


def _pointer(_typing: Any, address: Any, zero: Any) -> Any:
    """Return a pointer to the numbers at an address, of the kind of ``zero``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    kind: Any = types
    return kind.CPointer(zero)(types.int64, zero), generate


def _word_pointer(_typing: Any, address: Any) -> Any:
    """Return a pointer to the whole numbers at an address."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    kind: Any = types
    return kind.CPointer(types.int64)(types.int64), generate


def _call_thirteen(_typing: Any, address: Any, arguments: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        function = builder.inttoptr(args[0], ir.FunctionType(ir.VoidType(), [word] * 13).as_pointer())
        unpack: Any = cgutils.unpack_tuple
        builder.call(function, unpack(builder, args[1], 13))
        return context.get_dummy_value()

    kind: Any = types
    return types.void(types.int64, kind.UniTuple(types.int64, 13)), generate


def _call(_typing: Any, address: Any, at: Any, zero: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        number = context.get_value_type(signature.args[2])
        function = builder.inttoptr(
            args[0], ir.FunctionType(ir.VoidType(), [ir.IntType(64), number]).as_pointer()
        )
        builder.call(function, args[1:])
        return context.get_dummy_value()

    kind: Any = types
    return kind.void(types.int64, types.int64, zero), generate


_pointer_to: Any = intrinsic(_pointer)
_pointer_to_words: Any = intrinsic(_word_pointer)
#: Call the BLAS product at an address with the addresses of its thirteen arguments.
call_gemm: Any = intrinsic(_call_thirteen)
#: Call the kernel at an address on the arguments at another.
call_kernel: Any = intrinsic(_call)
_carray: Any = numba.carray  # type: ignore[attr-defined]


@inlined
def words_at(address: int, n: int) -> Any:
    """Return the n whole numbers at an address."""
    return _carray(_pointer_to_words(address), (n,))


@inlined
def numbers_at(address: int, n: int, zero: Any) -> Any:
    """Return the n numbers at an address, of the kind of ``zero``."""
    return _carray(_pointer_to(address, zero), (n,))


@inlined
def matrix_at(address: int, rows: int, columns: int, zero: Any) -> Any:
    """Return the matrix at an address, row by row."""
    return _carray(_pointer_to(address, zero), (rows, columns))
