"""Alignment: another telling of an item is told from another problem of its kind."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracemill.decontaminate.alignment import Aligner
from tracemill.decontaminate.neighbours import neighbours, unit_index
from tracemill.text.meaning.numerals import Spelled, chinese, digits, plain_fractions, ratios
from tracemill.text.meaning.reading import Reading, read
from tracemill.text.meaning.units import units
from tracemill.text.tokens import tokenise

ITEMS = {
    "tank": "A tank holds 640 litres of water. One pipe fills it in 35 minutes and another empties it in 56 "
    "minutes. With "
    "both pipes open, after how many minutes is the empty tank full?",
    "hexagon": r"A regular hexagon with side $\sqrt{27}$ is inscribed in a circle. Find the area between the "
    r"circle and "
    r"the hexagon, written as $a\pi - b\sqrt{c}$.",
    "primes": "Find the sum of all primes p below 90 for which p + 14 and p + 36 are primes too.",
    "cards": "From 12 cards numbered 1 to 12, 5 are drawn at random. The probability that their sum is even is m/n in "
    "lowest terms. Find m + n.",
}  # fmt: skip
SAME = {
    "tank, in other words": ("tank", "Water flows into an empty vessel of 640 litres through a pipe that alone "
    "would need thirty-five minutes to fill the tank, while a second pipe drains it and would empty it in 56 minutes. "
    "How many minutes pass until the tank is full?"),
    "tank, in Chinese": ("tank", "一个水箱可装640升水。一根水管35分钟可以把它注满，另一根水管56分钟可以把它放空。"
    "两根水管同时打开，空水箱多少分钟后注满？"),
    "hexagon, in Chinese": ("hexagon", r"边长为 $\sqrt{27}$ 的正六边形内接于一个圆。求圆与六边形之间的"
    r"面积，写成 $a\pi-b\sqrt c$ 的形式。"),
    "primes, in other words": ("primes", "Among the prime numbers p smaller than 90 take those for which both "
    "p + 14 and p + 36 are prime as well. What do they add up to?"),
    "cards, in Chinese": ("cards", "从编号为1到12的十二张卡片中随机抽出五张。"
    "它们的和是偶数的概率为最简分数m/n，求m+n。"),
}  # fmt: skip
OTHERS = {
    "other numbers": ("tank", "A tank holds 500 litres of water. One pipe fills it in 24 minutes and another "
    "empties it in 48 minutes. With both pipes open, after how many minutes is the empty tank full?"),
    "same data, another question": ("hexagon", r"A regular hexagon has a side of $\sqrt{27}$. Find its perimeter."),
    "same kind": ("primes", "Find the number of primes below 90 that leave the remainder 1 when divided by 6."),
    "a sum for a number of them": ("cards", "From 12 cards numbered 1 to 12, 5 are drawn at random. The probability "
    "that their product is odd is m/n in lowest terms. Find m + n."),
    "one number for another": ("primes", "Find the sum of all primes p below 90 for which p + 14 and p + 30 are primes "
    "too."),
    "a triangle for a hexagon": ("hexagon", r"A regular triangle with side $\sqrt{27}$ is inscribed in a circle. Find "
    r"the area between the circle and the triangle."),
    "stock phrases": ("cards", "Two dice are rolled. The probability that the sum is 7 is m/n in lowest terms. "
    "Find m + n."),
}  # fmt: skip
READINGS = {name: read(text) for name, text in ITEMS.items()}
ALIGNER = Aligner(list(READINGS.values()))


@pytest.mark.parametrize(("item", "text"), SAME.values(), ids=SAME)
def test_another_telling_is_the_item(item: str, text: str) -> None:
    scores = {name: ALIGNER.align(reading, read(text)).score for name, reading in READINGS.items()}
    assert scores.pop(item) >= 0.5
    assert max(scores.values()) < 0.1


@pytest.mark.parametrize(("item", "text"), OTHERS.values(), ids=OTHERS)
def test_another_problem_is_not(item: str, text: str) -> None:
    assert ALIGNER.align(READINGS[item], read(text)).score < 0.4


@pytest.mark.parametrize(("item", "text"), SAME.values(), ids=SAME)
def test_another_telling_is_a_candidate(item: str, text: str) -> None:
    index = unit_index(units(tokenise(pa.array(list(ITEMS.values()), pa.large_string()))))
    _, found, alike = neighbours(units(tokenise(pa.array([text], pa.large_string()))), index, 0.2)
    assert list(ITEMS)[found[np.argmax(alike)]] == item


def test_likeness_is_what_its_definition_says() -> None:
    """Against sets: the geometric mean of what either has of the other, an item's unit counting less the more "
    "have it."""
    texts = ["seven apples and 12 pears", "12 pears and 30 figs cost 5 euros", "nothing of it"]
    items, problems = units(tokenise(pa.array(texts[:2]))), units(tokenise(pa.array(texts)))
    rows, found, alike = neighbours(problems, unit_index(items), 0.01)
    sets = [dict(zip(problems.hashes[a:b].tolist(), problems.weights[a:b].tolist(), strict=True))
            for a, b in zip(problems.offsets[:-1], problems.offsets[1:], strict=True)]  # fmt: skip
    known = {unit: sum(unit in s for s in sets[:2]) for s in sets[:2] for unit in s}
    mass = [{u: w / (1 + 0.25 * np.log(known.get(u, 1))) for u, w in s.items()} for s in sets]
    for row, item, value in zip(rows.tolist(), found.tolist(), alike.tolist(), strict=True):
        both = sum(mass[row][u] for u in mass[row].keys() & mass[item].keys())
        assert value == pytest.approx(both / np.sqrt(sum(mass[row].values()) * sum(mass[item].values())), rel=1e-4)
    assert {(0, 0), (1, 1), (0, 1), (1, 0)} <= set(zip(rows.tolist(), found.tolist(), strict=True))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("two hundred and thirty-five apples", {200, 35}),
        ("two hundred thirty-five apples", {235}),
        ("no one of them", set()),
        ("6{,}000{,}000 or 6,000,000", {6_000_000}),
        ("1,2,3", {1, 2, 3}),
        (r"\frac{3}{4} of 0.5", {Fraction(3, 4), Fraction(1, 2), 3, 4}),
        ("half a dozen", {Fraction(1, 2), 12}),
        ("one fifth of the pupils", {Fraction(1, 5), 1, 5}),
        ("Two thirds of 84", {Fraction(2, 3), 2, 3, 84}),
        ("three-quarters of them", {Fraction(3, 4), 3, 4}),
        ("seven twenty-fifths", {Fraction(7, 25), 7, 25}),
        ("thirty-one hundredths", {Fraction(31, 100), 31, 100}),
        ("an eighth of the cake", {Fraction(1, 8), 1, 8}),
        ("half of the cake", {Fraction(1, 2)}),
        ("one half, a quarter of it", {Fraction(1, 2), 1, 2, Fraction(1, 4)}),
        ("a fifth player, one second, one fifth-grader, two third graders", {2}),
        ("男生的3/4是班长", {Fraction(3, 4), 3, 4}),
        ("五分之一的学生", {Fraction(1, 5), 1, 5}),
        ("全长的三分之二", {Fraction(2, 3), 2, 3}),
        ("它的二十五分之十二和一半", {Fraction(12, 25), 12, 25, Fraction(1, 2), 1, 2}),
        ("万分之三", {Fraction(3, 10_000), 3, 10_000}),
        ("百分之七", {7}),
        ("一百二十五个苹果", {125}),
        ("两千零五年", {2005}),
        ("三万五千", {35_000}),
    ],
)
def test_numbers_are_read_however_they_are_written(text: str, numbers: set[int]) -> None:
    assert {value for kind, value in read(text).units if kind == "number"} == numbers


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("What is the sum of the first 40 odd numbers?", {"sum"}),
        ("Which odd digit comes last?", {"digit"}),
        ("Which is the 12th odd prime?", set()),
        ("What are the odds of two sixes?", {"probability"}),
        ("How likely are two sixes?", {"probability"}),
    ],
)
def test_odd_numbers_are_no_odds(text: str, asked: set[str]) -> None:
    assert read(text).asked == asked
    assert (("concept", "odd") in read(text).units) == (" odd " in text)


def test_the_candidates_read_odd_and_odds_apart() -> None:
    odd, odds, chance = units(tokenise(pa.array(["odd", "odds", "probability"]))).hashes
    assert odds == chance != odd


def _in_chinese(value: int) -> str:
    marks, places = "零一二三四五六七八九", ["", "十", "百", "千"]
    text = "".join(marks[int(d)] + (places[len(str(value)) - k - 1] if d != "0" else "")
                   for k, d in enumerate(str(value)))  # fmt: skip
    while "零零" in text:
        text = text.replace("零零", "零")
    return text.rstrip("零")


@given(st.integers(2, 9999))
def test_every_chinese_numeral_has_its_value(value: int) -> None:
    assert chinese(_in_chinese(value)) == value


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    reading = read(text)
    assert isinstance(reading, Reading)
    assert frozenset(reading.order) == reading.units
    assert 0 <= ALIGNER.align(READINGS["tank"], reading).score <= 1


@given(st.fractions(min_value=0, max_value=999, max_denominator=999))
def test_a_fraction_has_one_value_in_every_print(value: Fraction) -> None:
    text = rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    assert value in set(ratios(plain_fractions(text)))


def test_digits_too_long_to_be_a_quantity_are_compared_as_text() -> None:
    assert list(digits("1" * 60)) == ["1" * 60]


def test_a_word_that_is_no_number_ends_one() -> None:
    spelled = Spelled()
    assert [spelled.takes(word) for word in ("forty", "two", "hundred", "apples")] == [True, True, True, False]
    assert list(spelled.end()) == [4200]
    assert list(spelled.end()) == []
