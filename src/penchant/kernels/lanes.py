"""What Numba has no words for: arithmetic on several numbers at once, written in LLVM's vectors.

Every processor has instructions for some of it, and LLVM makes do where it has none, so the numbers are the same
everywhere. Sixteen items in small integers meet a few vectors at once, with one instruction for 16 products and 8 sums.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from numba import types
from numba.extending import intrinsic

__all__ = ["LANES", "above_four", "above_one", "lowest", "product"]

LANES = 16
"Items of a panel."

ir = import_module("llvmlite.ir")  # has no types

_F32 = ir.FloatType()
_I8, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_HALF = LANES // 2


def _axes(build: Any, array: Any) -> Any:
    """Return the second extent of an array."""
    return build.extract_value(array.shape, 1)


def _vector(kind: Any, width: int) -> Any:
    return ir.VectorType(kind, width)


def _pick(build: Any, vector: Any, places: Any) -> Any:
    """Return the elements of a vector at these places."""
    mask = [ir.Constant(_I32, place) for place in places]
    return build.shuffle_vector(
        vector, ir.Constant(vector.type, ir.Undefined), ir.Constant(_vector(_I32, len(mask)), mask)
    )


def _spread(build: Any, number: Any) -> Any:
    """Return eight times the same int32."""
    empty = ir.Constant(_vector(_I32, _HALF), ir.Undefined)
    return _pick(build, build.insert_element(empty, number, _I32(0)), [0] * _HALF)


def _multiplied(build: Any, left: Any, right: Any) -> Any:
    """Return int32[8]: sums of neighbouring products of int16[16], the shape that becomes one instruction."""
    wide = [build.sext(side, _vector(_I32, LANES)) for side in (left, right)]
    product = build.mul(*wide, flags=["nsw"])
    even, odd = _pick(build, product, range(0, LANES, 2)), _pick(build, product, range(1, LANES, 2))
    return build.add(even, odd)


def _halves(build: Any, panel: Any, pair: Any) -> list[Any]:
    """Return two int16[16]: one pair of coordinates of the first and of the last eight items."""
    at = build.gep(panel, [build.mul(pair, _I64(2 * LANES))])
    starts = (at, build.gep(at, [_I64(LANES)]))
    loads = [build.load(build.bitcast(start, _vector(_I8, LANES).as_pointer()), align=1) for start in starts]
    return [build.sext(load, _vector(_I16, LANES)) for load in loads]


def _products(build: Any, panel: Any, vectors: list[Any], pairs: Any) -> list[Any]:
    """Return int32[8] twice for each vector: its inner products with the items of a panel."""
    start = build.block
    loop, done = build.append_basic_block("pairs"), build.append_basic_block("done")
    build.branch(loop)
    build.position_at_end(loop)
    pair = build.phi(_I64)
    sums = [build.phi(_vector(_I32, _HALF)) for _ in range(2 * len(vectors))]
    halves = _halves(build, panel, pair)
    grown = []
    for v, vector in enumerate(vectors):
        both = build.bitcast(_spread(build, build.load(build.gep(vector, [pair]))), _vector(_I16, LANES))
        for h, half in enumerate(halves):
            grown.append(build.add(sums[2 * v + h], _multiplied(build, half, both)))
    after = build.add(pair, _I64(1))
    for phi, first, last in zip([pair, *sums], [_I64(0)] + [None] * len(sums), [after, *grown], strict=True):
        phi.add_incoming(ir.Constant(phi.type, None) if first is None else first, start)
        phi.add_incoming(last, loop)
    build.cbranch(build.icmp_signed("<", after, pairs), loop, done)
    build.position_at_end(done)
    return grown


def _above(width: int) -> Any:
    """Return the intrinsic for ``width`` vectors: which items of a panel have products above the vectors' limits.

    Its arguments: panels int8[p, pairs, 32]; which panel; which of the rows is the first meant; and a tuple of vectors
    int32[b, pairs] with two int16 each, limits int32[b], rows int32[m], and where the products go, int32[16 width] at
    least. It returns 16 bits for each vector, the first lowest.
    """

    def typed(context: Any, panels: Any, panel: Any, first: Any, asked: Any) -> Any:
        return types.int64(panels, types.int64, types.int64, asked), _written(width)

    return intrinsic(typed)


def _written(width: int) -> Callable[..., Any]:
    def code(context: Any, build: Any, signature: Any, args: Any) -> Any:
        kinds = (signature.args[0], *signature.args[3])
        values = (args[0], *(build.extract_value(args[3], i) for i in range(4)))
        panels, vectors, limits, rows, found = (
            context.make_array(kind)(context, build, value) for kind, value in zip(kinds, values, strict=True)
        )
        pairs = _axes(build, panels)
        pointers, bars = [], []
        for v in range(width):
            row = build.sext(build.load(build.gep(rows.data, [build.add(args[2], _I64(v))])), _I64)
            pointers.append(build.gep(vectors.data, [build.mul(row, pairs)]))
            bars.append(_spread(build, build.load(build.gep(limits.data, [row]))))
        panel = build.gep(panels.data, [build.mul(build.mul(args[1], pairs), _I64(2 * LANES))])
        mask = _I64(0)
        for at, total in enumerate(_products(build, panel, pointers, pairs)):
            place = build.bitcast(build.gep(found.data, [_I64(_HALF * at)]), total.type.as_pointer())
            build.store(total, place, align=4)
            bits = build.bitcast(build.icmp_signed(">", total, bars[at // 2]), _I8)
            mask = build.or_(mask, build.shl(build.zext(bits, _I64), _I64(_HALF * at)))
        return mask

    return code


above_four = _above(4)
above_one = _above(1)


def _lowest(context: Any, bits: Any) -> Any:
    def code(context: Any, build: Any, signature: Any, args: Any) -> Any:
        return build.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.int64), code


def _product(context: Any, left: Any, row: Any, right: Any, other: Any) -> Any:
    """Return the intrinsic for the inner product of a row of one float32[., d] with a row of another.

    The order of the additions is fixed, so the same numbers give the same bits wherever it is used. Of d the whole
    eights count; the caller adds the rest.
    """

    def code(context: Any, build: Any, signature: Any, args: Any) -> Any:
        arrays = [context.make_array(signature.args[i])(context, build, args[i]) for i in (0, 2)]
        axes = _axes(build, arrays[0])
        ends = [build.gep(side.data, [build.mul(args[i], axes)]) for side, i in zip(arrays, (1, 3), strict=True)]
        return _sum_of_products(build, ends, build.and_(axes, _I64(-8)))

    if not all(
        isinstance(side, types.Array) and side.dtype == types.float32 and side.layout == "C" for side in (left, right)
    ):
        return None
    return types.float32(left, types.int64, right, types.int64), code


def _sum_of_products(build: Any, ends: list[Any], whole: Any) -> Any:
    kind, start = _vector(_F32, 8), build.block
    loop, body, done = (build.append_basic_block(name) for name in ("eights", "eight", "summed"))
    build.branch(loop)
    build.position_at_end(loop)
    at, total = build.phi(_I64), build.phi(kind)
    build.cbranch(build.icmp_signed("<", at, whole), body, done)
    build.position_at_end(body)
    parts = [build.load(build.bitcast(build.gep(end, [at]), kind.as_pointer()), align=4) for end in ends]
    grown = build.fadd(total, build.fmul(*parts))
    for phi, first, last in ((at, _I64(0), build.add(at, _I64(8))), (total, ir.Constant(kind, None), grown)):
        phi.add_incoming(first, start)
        phi.add_incoming(last, body)
    build.branch(loop)
    build.position_at_end(done)
    for width in (4, 2, 1):
        total = build.fadd(_pick(build, total, range(width)), _pick(build, total, range(width, 2 * width)))
    return build.extract_element(total, _I32(0))


lowest: Any = intrinsic(_lowest)
product: Any = intrinsic(_product)
