"""Charts put numbers where they belong, and texts where they can be read."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.errors import InputError
from penchant.evaluation.pictures.axes import Axis, steps
from penchant.evaluation.pictures.bars import columns
from penchant.evaluation.pictures.document import document
from penchant.evaluation.pictures.labels import beside, spread
from penchant.evaluation.pictures.picture import HEIGHT, TOP, Dot

numbers = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-6)


@given(st.lists(numbers, min_size=1, max_size=8), st.booleans())
def test_an_axis_holds_its_numbers_in_proportion(values: list[float], upwards: bool) -> None:
    begin, end = (200.0, 10.0) if upwards else (10.0, 200.0)
    axis = Axis.of(values, begin, end)
    for value in values:
        slack = 1e-9 * max(axis.high - axis.low, abs(axis.low), abs(axis.high))  # a billionth of a step is no step
        assert axis.low - slack <= value <= axis.high + slack
        share = (value - axis.low) / (axis.high - axis.low)
        assert axis.at(value) == pytest.approx(begin + (end - begin) * share, abs=0.051)
    assert (axis.at(axis.low), axis.at(axis.high)) == (begin, end)
    assert 2 <= len(axis.ticks) <= 12


@given(numbers, st.floats(1e-3, 1e6))
def test_steps_are_even_round_and_reach_both_ends(low: float, width: float) -> None:
    found = steps(low, low + width)
    assert found[0] <= low + 1e-6 * width
    assert found[-1] >= low + width - 1e-6 * width
    step = (found[-1] - found[0]) / (len(found) - 1)
    for first, second in pairwise(found):
        assert second - first == pytest.approx(step, rel=1e-4)
    lead = step / 10 ** math.floor(math.log10(step) + 1e-6)
    assert min(abs(lead - size) for size in (1, 2, 5, 10)) < 1e-3


def test_the_marks_of_an_axis_say_where_they_stand() -> None:
    for values in ([0.0, 0.031], [0.12, 0.31], [-3.0, 40.0], [0.0, 0.025], [5.0, 5.0], [None, math.nan]):
        axis = Axis.of(values, 0.0, 1000.0)
        for place, text in axis.marks:
            assert axis.at(float(text.replace(",", ""))) == place, (values, text)


def test_a_logarithmic_axis_lays_out_ratios() -> None:
    axis = Axis.of([0.5, 50.0], 0.0, 300.0, log=True)
    assert [text for _, text in axis.marks] == ["0.5", "1", "2", "5", "10", "20", "50"]
    assert axis.at(5.0) - axis.at(0.5) == pytest.approx(axis.at(50.0) - axis.at(5.0), abs=0.11)
    one = Axis.of([3.0], 0.0, 300.0, log=True)
    assert one.low <= 3.0 <= one.high
    wide = Axis.of([0.002, 9000.0], 0.0, 300.0, log=True)
    assert wide.ticks == tuple(10.0**power for power in range(-3, 5))
    with pytest.raises(InputError, match="only numbers above 0 have ratios; got 0"):
        Axis.of([0.0, 1.0], 0.0, 300.0, log=True)


def test_columns_are_as_high_as_their_counts() -> None:
    picture = columns("Events", ["a", "b", "c"], {"view": [10, 0, 40], "purchase": [30, 0, 10]})
    top = float(picture.up[-1][1])
    for box, count in zip(picture.boxes, [10, 40, 30, 10], strict=True):
        assert box.height == pytest.approx(HEIGHT * count / top, abs=0.01)
    first, second = picture.boxes[0], picture.boxes[2]
    assert second.y + second.height == pytest.approx(first.y), "the second series stands on the first"
    assert first.y + first.height == TOP + HEIGHT
    assert not columns("Events", [], {"view": []}).drawn


@given(st.lists(st.floats(0, 200), max_size=9))
def test_spread_texts_keep_their_order_and_their_distance(places: list[float]) -> None:
    moved = spread(places, 13.0)
    order = sorted(range(len(places)), key=lambda i: places[i])
    for i, j in pairwise(order):
        assert moved[j] - moved[i] >= 12.7
    if len(places) == 1:
        assert moved[0] == pytest.approx(places[0], abs=0.06)


def test_labels_do_not_lie_on_each_other() -> None:
    dots = [(300.0 + 3 * n, 100.0 + 2 * (n % 3), f"model {n}") for n in range(8)]
    labels = beside(dots, (64, 12, 644, 202))
    assert [label.text for label in labels] == [text for _, _, text in dots]

    def area(x: float, y: float, text: str, anchor: str) -> tuple[float, float, float, float]:
        left = x - 6.4 * len(text) if anchor == "end" else x
        return left, y - 10, left + 6.4 * len(text), y + 2

    boxes = [area(label.x, label.y, label.text, label.anchor) for label in labels]
    for one, other in combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)


def test_series_differ_by_shape_and_not_by_colour_alone() -> None:
    assert len({Dot(0.0, 0.0, series, "").shape for series in range(6)}) == 6


def test_the_policy_of_a_page_lets_in_its_own_style_and_nothing_else() -> None:
    parts = {"source": "</title><script>", "lead": "", "verdicts": (), "sections": (), "pictures": {}, "version": ""}
    page = document("datareport/page.html.j2", "</title><script>", "b { color: red; }", **parts)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in page
    assert "b { color: red; }" in style[1]
    assert "<script" not in page
    assert "style=" not in page.replace("<style>", "")
