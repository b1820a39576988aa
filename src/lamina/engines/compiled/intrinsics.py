"""What Numba has no words for: addresses, calls by address, atomic counters, bits of numbers.

All memory is passed as addresses (int64), so that one compiled function serves every
array, network and formula.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_I64 = ir.IntType(64)


@intrinsic
def pointer(typing: Any, address: Any, like: Any) -> Any:
    """Return the address as a pointer to numbers of the type of `like`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(like)(types.int64, like), generate


@intrinsic
def call(typing: Any, address: Any, arguments: Any) -> Any:
    """Call `double f(int64, ...)` at an address with a tuple of int64."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = ir.FunctionType(ir.DoubleType(), [_I64] * arguments.count)
        function = builder.inttoptr(given[0], kind.as_pointer())
        return builder.call(function, cgutils.unpack_tuple(builder, given[1]))

    return types.float64(types.int64, arguments), generate


@intrinsic
def add_atomically(typing: Any, address: Any, amount: Any) -> Any:
    """Add to the int64 at an address, and return what it was before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], _I64.as_pointer())
        return builder.atomic_rmw("add", place, arguments[1], "seq_cst")

    return types.int64(types.int64, types.int64), generate


@intrinsic
def load_atomically(typing: Any, address: Any) -> Any:
    """Return the int64 at an address, with all that was written before it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], _I64.as_pointer())
        return builder.load_atomic(place, "acquire", 8)

    return types.int64(types.int64), generate


@intrinsic
def store_atomically(typing: Any, address: Any, number: Any) -> Any:
    """Write the int64 at an address, after all that was written before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], _I64.as_pointer())
        builder.store_atomic(arguments[1], place, "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def bits_of(typing: Any, number: Any) -> Any:
    """Return the bits of a float32 as int32, of a float64 as int64."""
    kind = types.int32 if number.bitwidth == 32 else types.int64

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(kind))

    return kind(number), generate


@intrinsic
def number_of(typing: Any, bits: Any) -> Any:
    """Return the float32 of an int32, or the float64 of an int64, that has these bits."""
    kind = types.float32 if bits.bitwidth == 32 else types.float64

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(kind))

    return kind(bits), generate


def polynomial(coefficients: tuple[float, ...]) -> Any:
    """Return a function of x, the polynomial by Horner's rule, highest power first."""

    @intrinsic
    def evaluate(typing: Any, x: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            (number,) = arguments
            total = number.type(float(coefficients[0]))
            for c in coefficients[1:]:
                product = builder.fmul(total, number, flags=("contract",))
                total = builder.fadd(product, number.type(float(c)), flags=("contract",))
            return total

        return x(x), generate

    return evaluate


@intrinsic
def size_of(typing: Any, like: Any) -> Any:
    """Return the bytes of a number of the type of `like`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _I64(like.bitwidth // 8)

    return types.int64(like), generate


def loader(count: int) -> Any:
    """Return a function that reads `count` numbers, a stride apart, as a tuple."""

    @intrinsic
    def load(typing: Any, base: Any, index: Any, stride: Any) -> Any:
        result = types.UniTuple(base.dtype, count)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            start, index, stride = arguments
            numbers = []
            for k in range(count):
                place = builder.add(index, builder.mul(stride, _I64(k)))
                numbers.append(builder.load(builder.gep(start, [place])))
            return context.make_tuple(builder, result, numbers)

        return result(base, types.int64, types.int64), generate

    return load


def storer(count: int) -> Any:
    """Return a function that writes a tuple of `count` numbers, a stride apart."""

    @intrinsic
    def store(typing: Any, base: Any, index: Any, stride: Any, numbers: Any) -> Any:
        kinds = list(numbers)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            start, index, stride, values = arguments
            for k in range(count):
                place = builder.add(index, builder.mul(stride, _I64(k)))
                value = builder.extract_value(values, k)
                value = context.cast(builder, value, kinds[k], base.dtype)
                builder.store(value, builder.gep(start, [place]))
            return context.get_dummy_value()

        return types.void(base, types.int64, types.int64, numbers), generate

    return store


def chebyshev(digits: int) -> Any:
    """Return a function of c and u, Σ c_k T_k(u) as `special.chebyshev` sums it, without a loop.

    The coefficients are those for 53 binary digits. They fall like a geometric sequence, so
    that fewer digits need fewer of them.
    """

    @intrinsic
    def evaluate(typing: Any, coefficients: Any, u: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            flags = ("contract",)
            c, x = cgutils.unpack_tuple(builder, arguments[0]), arguments[1]
            count = -(-len(c) * digits // 53)
            last = before = x.type(0.0)
            twice = builder.fadd(x, x)
            for coefficient in c[count - 1 : 0 : -1]:
                rest = builder.fsub(coefficient, before)
                product = builder.fmul(twice, last, flags=flags)
                last, before = builder.fadd(product, rest, flags=flags), last
            product = builder.fmul(x, last, flags=flags)
            return builder.fadd(product, builder.fsub(c[0], before), flags=flags)

        return u(coefficients, u), generate

    return evaluate
