"""Sixteen numbers as one LLVM vector, for kernels in numba: loops over channels without a loop.

LLVM gives a vector what the processor has: one AVX-512 register, two of AVX, four of NEON. numba's
own vectoriser finds neither the exponential nor the blocks (it is two to nine times slower here).

numpy arrays of float32, of float64 (for tests of gradients), and of int16 that holds bfloat16:
`load` widens these to float32, `store` rounds to them, to nearest even.
"""

import operator
from collections.abc import Callable
from typing import Any

import numba.extending
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, register_model

LANES = 16  # of float32: one AVX-512 register, one cache line; 32 was slower
INT32 = ir.IntType(32)

# 2^r for |r| <= 1/2 as 1 + r(c1 + r(c2 + ...)): minimax, relative error 9e-8 (linear programme over
# 4,001 Chebyshev points; our choice of degree)
EXP2 = (0.6931470036506653, 0.24022242426872253, 0.05550733953714371, 0.009671511128544807,
        0.001326465280726552)  # fmt: skip
# artanh(s) / s for s^2 in [0, 1/9] in powers of s^2, the first being 1: the same, within 5e-9
ARTANH = (0.33333208, 0.20010762, 0.14000906, 0.14006048)
ROUNDER = 1.5 * 2.0**23  # added to a float32, leaves its nearest integer in the lowest bits
EXPONENTS = (-126.0, 126.0)  # of 2 in float32; the clamped tails are 1e-38 and 1e38

intrinsic: Callable[[Callable[..., Any]], Any] = numba.extending.intrinsic


class Lanes(types.Type):  # type: ignore[misc]
    """The type of `LANES` numbers of one scalar type."""

    def __init__(self, scalar: Any) -> None:
        self.scalar = scalar
        super().__init__(name=f"Lanes({scalar})")


SINGLE, DOUBLE = Lanes(types.float32), Lanes(types.float64)


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: Lanes) -> None:
        element = ir.FloatType() if fe_type.scalar == types.float32 else ir.DoubleType()
        super().__init__(dmm, fe_type, ir.VectorType(element, LANES))


def _of(array: Any) -> Lanes:
    return DOUBLE if array.dtype == types.float64 else SINGLE


def _constant(vector: Any, value: float) -> Any:
    return ir.Constant(vector, [value] * LANES)


def _splat(builder: Any, scalar: Any) -> Any:
    undefined = ir.Constant(ir.VectorType(scalar.type, LANES), ir.Undefined)
    first = builder.insert_element(undefined, scalar, INT32(0))
    return builder.shuffle_vector(first, undefined, _constant(ir.VectorType(INT32, LANES), 0))


def _pointer(context: Any, builder: Any, sig: Any, args: Any, vector: Any) -> Any:
    """Where in the array args[0] the index args[1] points, as a pointer to a vector."""
    array = context.make_array(sig.args[0])(context, builder, args[0])
    index = cgutils.unpack_tuple(builder, args[1], len(sig.args[1]))
    pointer = cgutils.get_item_pointer(
        context, builder, sig.args[0], array, index, wraparound=False, boundscheck=False
    )
    return builder.bitcast(pointer, vector.as_pointer())


def _call(builder: Any, name: str, *args: Any) -> Any:
    """An LLVM intrinsic over vectors of one type."""
    vector = args[0].type
    bits = 32 if isinstance(vector.element, ir.FloatType) else 64
    kind = ir.FunctionType(vector, [vector] * len(args))
    name = f"llvm.{name}.v{LANES}f{bits}"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)


@intrinsic
def load(typing: Any, array: Any, index: Any) -> Any:
    """`LANES` successive elements from an index; the array's last axis is contiguous."""
    made = _of(array)

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if sig.args[0].dtype != types.int16:
            vector = context.get_value_type(made)
            return builder.load(_pointer(context, builder, sig, args, vector), align=4)
        halves = ir.VectorType(ir.IntType(16), LANES)
        words = ir.VectorType(INT32, LANES)
        half = builder.load(_pointer(context, builder, sig, args, halves), align=2)
        word = builder.shl(builder.zext(half, words), _constant(words, 16))
        return builder.bitcast(word, context.get_value_type(made))

    return made(array, index), code


@intrinsic
def prefetch(typing: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of an element that is read or written soon."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        byte = ir.IntType(8)
        pointer = _pointer(context, builder, sig, args, byte)
        kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), INT32, INT32, INT32])
        ask = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(ask, [pointer, INT32(0), INT32(3), INT32(1)])
        return context.get_dummy_value()

    return types.void(array, index), code


@intrinsic
def store(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Write `LANES` elements from an index on."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value, align = args[2], 4
        if sig.args[0].dtype == types.int16:
            value, align = _to_bfloat16(builder, value), 2
        pointer = _pointer(context, builder, sig, args, value.type)
        builder.store(value, pointer, align=align)
        return context.get_dummy_value()

    return types.void(array, index, value), code


def _to_bfloat16(builder: Any, value: Any) -> Any:
    words = ir.VectorType(INT32, LANES)
    bits = builder.bitcast(value, words)
    odd = builder.and_(builder.lshr(bits, _constant(words, 16)), _constant(words, 1))
    rounded = builder.add(bits, builder.add(odd, _constant(words, 0x7FFF)))
    high = builder.lshr(rounded, _constant(words, 16))
    return builder.trunc(high, ir.VectorType(ir.IntType(16), LANES))


@intrinsic
def spread(typing: Any, array: Any, index: Any) -> Any:
    """One element of an array in all lanes."""
    made = _of(array)

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        element = context.get_value_type(made).element
        pointer = _pointer(context, builder, sig, args, element)
        return _splat(builder, builder.load(pointer))

    return made(array, index), code


@intrinsic
def zeros(typing: Any, array: Any) -> Any:
    """Lanes of zero, of the array's type."""
    made = _of(array)

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _constant(context.get_value_type(made), 0.0)

    return made(array), code


@intrinsic
def lane_sum(typing: Any, value: Any) -> Any:
    """The sum over the lanes, a scalar."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        total, width = args[0], LANES
        while width > 1:  # halves onto each other: one order on every processor
            width //= 2
            order = [i % width for i in range(LANES)], [width + i % width for i in range(LANES)]
            low, high = (
                builder.shuffle_vector(total, total, ir.Constant(ir.VectorType(INT32, LANES), o))
                for o in order
            )
            total = builder.fadd(low, high)
        return builder.extract_element(total, INT32(0))

    return value.scalar(value), code


@intrinsic
def exp2(typing: Any, value: Any) -> Any:
    """2 to the power of each lane; in float32 a polynomial, within 2e-7 of the true value."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if isinstance(args[0].type.element, ir.FloatType):
            args = [_call(builder, "minnum", args[0], _constant(args[0].type, EXPONENTS[1]))]
        return _exp2(builder, args[0])

    return value(value), code


@intrinsic
def decayed(typing: Any, value: Any) -> Any:
    """`exp2` for lanes that are at most 127, and in the scan at most 0: one instruction less."""
    return value(value), lambda context, builder, sig, args: _exp2(builder, args[0])


def _exp2(builder: Any, x: Any) -> Any:
    if isinstance(x.type.element, ir.DoubleType):
        return _call(builder, "exp2", x)
    words = ir.VectorType(INT32, LANES)
    x = _call(builder, "maxnum", x, _constant(x.type, EXPONENTS[0]))
    shifted = builder.fadd(x, _constant(x.type, ROUNDER))
    rest = builder.fsub(x, builder.fsub(shifted, _constant(x.type, ROUNDER)))
    power = builder.bitcast(_series(builder, rest, EXP2), words)
    exponent = builder.shl(builder.bitcast(shifted, words), _constant(words, 23))
    return builder.bitcast(builder.add(power, exponent), x.type)


@intrinsic
def fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """a b + c of each lane, one instruction where the processor has it."""
    return a(a, b, c), lambda context, builder, sig, args: _call(builder, "fmuladd", *args)


@intrinsic
def log1p(typing: Any, value: Any) -> Any:
    """log(1 + e) of each lane, for e in [0, 1]: 2 artanh(e / (2 + e))."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        e, one = args[0], _constant(args[0].type, 1.0)
        if isinstance(e.type.element, ir.DoubleType):
            return _call(builder, "log", builder.fadd(e, one))
        ratio = builder.fdiv(e, builder.fadd(e, _constant(e.type, 2.0)))
        square = builder.fmul(ratio, ratio)
        series = _series(builder, square, ARTANH)
        return builder.fmul(builder.fadd(ratio, ratio), series)

    return value(value), code


def _series(builder: Any, x: Any, coefficients: tuple[float, ...]) -> Any:
    """1 + c1 x + c2 x^2 + ..., by Horner's rule."""
    total = _constant(x.type, coefficients[-1])
    for coefficient in (*coefficients[-2::-1], 1.0):
        total = _call(builder, "fmuladd", total, x, _constant(x.type, coefficient))
    return total


@intrinsic
def absolute(typing: Any, value: Any) -> Any:
    """The absolute value of each lane."""
    return value(value), lambda context, builder, sig, args: _call(builder, "fabs", args[0])


@intrinsic
def positive(typing: Any, value: Any) -> Any:
    """Each lane, or 0 where it is negative."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _call(builder, "maxnum", args[0], _constant(args[0].type, 0.0))

    return value(value), code


# a multiplication and an addition become one instruction where the processor has it
OPERATORS = {operator.add: "fadd", operator.sub: "fsub", operator.mul: "fmul",
             operator.truediv: "fdiv"}  # fmt: skip


class LanesOperator(AbstractTemplate):  # type: ignore[misc]
    """lanes op lanes, lanes op float, float op lanes."""

    def generic(self, args: Any, kws: Any) -> Any:
        lanes = [a for a in args if isinstance(a, Lanes)]
        if len(args) != 2 or not lanes:
            return None
        wide = [a if isinstance(a, Lanes) else types.float64 for a in args]
        return signature(lanes[0], *wide)


def _arithmetic(instruction: str) -> Callable[..., Any]:
    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vector = context.get_value_type(sig.return_type)
        wide = (_widened(builder, operand, vector) for operand in args)
        return getattr(builder, instruction)(*wide, flags=["contract"])

    return code


def _widened(builder: Any, scalar: Any, vector: Any) -> Any:
    """A number in all lanes, or the vector that it is already."""
    if isinstance(scalar.type, ir.VectorType):
        return scalar
    if isinstance(vector.element, ir.FloatType):
        scalar = builder.fptrunc(scalar, vector.element)
    return _splat(builder, scalar)


for _operator, _instruction in OPERATORS.items():
    infer_global(_operator)(type(f"Lanes_{_instruction}", (LanesOperator,), {"key": _operator}))
    for _operands in ((Lanes, Lanes), (Lanes, types.Float), (types.Float, Lanes)):
        lower_builtin(_operator, *_operands)(_arithmetic(_instruction))
