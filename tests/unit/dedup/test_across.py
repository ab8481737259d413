"""Problems in two ways of writing: which ask for different things."""

from __future__ import annotations

import pytest

from tracemill.dedup.across import asked_apart

TWO = {
    "area, perimeter": ("A rug is 9 m long and 4 m wide. Find its area.", "一块地毯长9米、宽4米，求它的周长。"),
    "maximum, minimum": ("Find the maximum of $x^2-8x$ on $[0,9]$.", "求 $x^2-8x$ 在 $[0,9]$ 上的最小值。"),
    "odd, even": ("How many odd numbers are there from 1 to 77?", "从1到77有多少个偶数？"),
    "sum, product": (
        "The product of two numbers is 36, one is 4. Find the other.",
        "两个数的和是36，其中一个是4，求另一个。",
    ),
    "left, now": ("Ann has 15 balls and loses 6 of them. How many are left?", "安有15个球，又买了6个，现在有多少个？"),
}
ONE = {
    "area": ("A rug is 9 m long and 4 m wide. Find its area.", "一块地毯长9米、宽4米，求它的面积。"),
    "left": ("Ann has 15 pens and loses 6 of them. How many are left?", "安有15支笔，丢了6支，还剩多少支？"),
    "money is a price": (
        "A coat of 90 dollars is sold at 30% off. What does it cost?",
        "一件90元的大衣打七折，卖多少钱？",
    ),
    "a word more": ("The perimeter of a square is 44. What is its area?", "正方形的周长是44，它的面积是多少？"),
    "nothing is asked": ("Write a poem about rain.", "写一首关于雨的诗。"),
}


@pytest.mark.parametrize(("one", "other"), TWO.values(), ids=TWO)
def test_what_is_asked_for_makes_two_problems(one: str, other: str) -> None:
    assert asked_apart(one, other)
    assert asked_apart(other, one)


@pytest.mark.parametrize(("one", "other"), ONE.values(), ids=ONE)
def test_a_translation_asks_for_the_same(one: str, other: str) -> None:
    assert not asked_apart(one, other)
