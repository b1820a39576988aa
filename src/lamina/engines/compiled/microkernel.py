"""C = I + A B for a few rows of C, in registers: the one loop that all products are made of.

Some rows by two vectors of C stay in registers while k runs; each k reads two vectors of B and
one number of A for each row. Source of the shape: Goto and van de Geijn 2008, section 4.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_I64, _I32, _I1 = ir.IntType(64), ir.IntType(32), ir.IntType(1)


def _register_bytes() -> int:
    """Return the bytes of a vector register of this processor."""
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 64
    return 32 if features.get("avx2") else 16


REGISTER = _register_bytes()
ROWS = {64: 8, 32: 6, 16: 4}[REGISTER]
"""Rows at most: with two vectors each, as many as there are registers for."""
VECTORS = 2
"""How wide the part of C is that stays in registers."""


@intrinsic
def lanes(typing: Any, like: Any) -> Any:
    """Return how many numbers of the type of `like` a vector holds."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _I64(REGISTER * 8 // like.bitwidth)

    return types.int64(like), generate


class _Vectors:
    """LLVM's words for vectors of a type of number."""

    def __init__(self, builder: Any, real: Any) -> None:
        self.builder, self.real = builder, real
        self.size = 4 if isinstance(real, ir.FloatType) else 8
        self.width = REGISTER // self.size
        self.kind = ir.VectorType(real, self.width)
        self.zero = ir.Constant(self.kind, [real(0.0)] * self.width)
        self._name = f"v{self.width}f{8 * self.size}"

    def splat(self, number: Any) -> Any:
        """Return a vector of one number."""
        kind = ir.VectorType(number.type, self.width)
        undefined = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(undefined, number, _I32(0))
        places = ir.Constant(ir.VectorType(_I32, self.width), [0] * self.width)
        return self.builder.shuffle_vector(first, undefined, places)

    def pointer(self, address: Any) -> Any:
        """Return an address as a pointer to a vector."""
        return self.builder.inttoptr(address, self.kind.as_pointer())

    def load(self, address: Any, v: int) -> Any:
        """Return vector v of a row that begins at an address."""
        loaded = self.builder.load(self.pointer(self.builder.add(address, _I64(v * REGISTER))))
        loaded.align = self.size
        return loaded

    def store(self, value: Any, address: Any, v: int) -> None:
        """Write vector v of a row that begins at an address."""
        place = self.pointer(self.builder.add(address, _I64(v * REGISTER)))
        self.builder.store(value, place).align = self.size

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """Return a b + c, rounded once."""
        kind = ir.FunctionType(self.kind, [self.kind] * 3)
        return self.builder.call(self._function(f"llvm.fma.{self._name}", kind), [a, b, c])

    def number(self, address: Any) -> Any:
        """Return the number at an address, in all lanes."""
        return self.splat(self.builder.load(self.builder.inttoptr(address, self.real.as_pointer())))

    def _function(self, name: str, kind: Any) -> Any:
        return cgutils.get_or_insert_function(self.builder.module, kind, name)


def microkernel(rows: int) -> Any:
    """Return the kernel for so many rows of C, two vectors wide.

    It is called with the addresses of C, I, A and B, the number of terms k, the strides from
    row to row of C, I and B and from row to row and term to term of A, and a number of
    their type. A stride of I of 0 repeats one row, an address of 0 means zeros.
    """

    @intrinsic
    def kernel(typing: Any, places: Any, k: Any, strides: Any, unit: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            c, start, a, b = cgutils.unpack_tuple(builder, arguments[0])
            words = _Vectors(builder, arguments[3].type)
            to_c, to_start, to_b, *along = (
                builder.mul(stride, _I64(words.size))
                for stride in cgutils.unpack_tuple(builder, arguments[2])
            )
            initial = _initial(words, start, to_start, rows)
            totals = _loop(words, (a, along, b, to_b), arguments[1], initial)
            for r in range(rows):
                row = builder.add(c, builder.mul(to_c, _I64(r)))
                for v in range(VECTORS):
                    words.store(totals[r * VECTORS + v], row, v)
            return context.get_dummy_value()

        return types.void(places, k, strides, unit), generate

    return kernel


def _initial(words: _Vectors, start: Any, stride: Any, rows: int) -> list[Any]:
    """Return the vectors of I, zeros for the address 0."""
    builder = words.builder
    before = builder.block
    given = builder.icmp_signed("!=", start, _I64(0))
    with builder.if_then(given):
        loaded = [
            words.load(builder.add(start, builder.mul(stride, _I64(r))), v)
            for r in range(rows)
            for v in range(VECTORS)
        ]
        inside = builder.block
    result = []
    for vector in loaded:
        phi = builder.phi(words.kind)
        phi.add_incoming(words.zero, before)
        phi.add_incoming(vector, inside)
        result.append(phi)
    return result


def _loop(words: _Vectors, factors: Any, k: Any, initial: list[Any]) -> list[Any]:
    """Add A B to the vectors, k terms one after the other."""
    builder = words.builder
    a, (to_row, to_next), b, to_b = factors
    before = builder.block
    rows = [builder.add(a, builder.mul(to_row, _I64(r))) for r in range(len(initial) // VECTORS)]
    loop, after = (builder.append_basic_block(name) for name in ("terms", "after"))
    builder.cbranch(builder.icmp_signed(">", k, _I64(0)), loop, after)
    builder.position_at_end(loop)
    phis = [builder.phi(_I64) for _ in range(3)]
    totals = [builder.phi(words.kind) for _ in initial]
    for phi, value in zip([*phis, *totals], [_I64(0), _I64(0), b, *initial], strict=True):
        phi.add_incoming(value, before)
    done, along_a, at_b = phis
    columns = [words.load(at_b, v) for v in range(VECTORS)]
    added = []
    for r, row in enumerate(rows):
        number = words.number(builder.add(row, along_a))
        beside = totals[r * VECTORS : (r + 1) * VECTORS]
        added += [words.multiply_add(number, b, c) for b, c in zip(columns, beside, strict=True)]
    one_more = builder.add(done, _I64(1))
    ends = [one_more, builder.add(along_a, to_next), builder.add(at_b, to_b), *added]
    for phi, value in zip([*phis, *totals], ends, strict=True):
        phi.add_incoming(value, loop)
    builder.cbranch(builder.icmp_signed("<", one_more, k), loop, after)
    builder.position_at_end(after)
    results = []
    for first, last in zip(initial, added, strict=True):
        phi = builder.phi(words.kind)
        phi.add_incoming(first, before)
        phi.add_incoming(last, loop)
        results.append(phi)
    return results


@intrinsic
def copy_vectors(typing: Any, target: Any, source: Any, unit: Any) -> Any:
    """Copy as many numbers as a panel is wide."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        words = _Vectors(builder, arguments[2].type)
        for v in range(VECTORS):
            words.store(words.load(arguments[1], v), arguments[0], v)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, unit), generate


@intrinsic
def transpose_block(
    typing: Any, target: Any, to_column: Any, source: Any, to_row: Any, unit: Any
) -> Any:
    """Transpose a block as high and wide as a vector; strides are in bytes.

    Vectors i and i + n/2 are interleaved to 2i and 2i + 1, which, done log2 n times, is a
    transposition.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        words = _Vectors(builder, arguments[4].type)
        n = words.width
        rows = [
            words.load(builder.add(arguments[2], builder.mul(arguments[3], _I64(i))), 0)
            for i in range(n)
        ]
        halves = [[k // 2 + n * (k % 2) + half * n // 2 for k in range(n)] for half in (0, 1)]
        orders = [ir.Constant(ir.VectorType(_I32, n), places) for places in halves]
        for _ in range(n.bit_length() - 1):
            pairs = [(rows[i], rows[i + n // 2]) for i in range(n // 2)]
            rows = [builder.shuffle_vector(*pair, order) for pair in pairs for order in orders]
        for i, row in enumerate(rows):
            words.store(row, builder.add(arguments[0], builder.mul(arguments[1], _I64(i))), 0)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64, unit), generate
