"""Problems in two ways of writing: which ask for different things."""

from __future__ import annotations

import pytest

from tracemill.text.problem_text import normalised_problem
from tracemill.text.wording.across import across, asked_apart
from tracemill.text.wording.words import read_parts

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


APART = {
    "what is measured": ("A disc has a radius of 9. Find its area.", "圆盘的直径是9，求它的面积。"),
    "kind of number": ("How many primes are less than 40?", "小于40的合数有多少个？"),
    "greater or less": ("How many primes are less than 40?", "大于40的素数有多少个？"),
    "what it is about": (
        "A baker has 56 rolls and sells 17. How many are left?",
        "农民有56只鸭子，卖了17只，还剩多少只？",
    ),
    "a requirement more": ("In how many ways can 4 of 9 people be chosen?", "从9个人中选4个人排成一排，有多少种方法？"),
    "shape": ("Find the volume of a cone of radius 4 and height 9.", "求半径为4、高为9的圆柱的体积。"),
    "direction": ("A stone is thrown upward at 15 m/s.", "一块石头以15m/s的速度向下抛出。"),
    "asked of two colours": (
        "A box has 4 red pens and 7 blue pens. One is drawn. How likely is a red pen?",
        "盒子里有4支红笔和7支蓝笔，抽出一支，是蓝笔的概率是多少？",
    ),
    "from one scale to another": ("Convert 68 degrees Fahrenheit to Celsius.", "把68摄氏度转换为华氏度。"),
    "who is older": (
        "Ann is 5 years older than John. John is 9. How old is Ann?",
        "约翰比安大5岁，约翰9岁，安多少岁？",
    ),
    "which side": (
        "The length is 14 and the perimeter 40. Find the area of the rectangle.",
        "长方形的宽为14，周长为40，求面积。",
    ),
    "dividend and divisor": ("What is the remainder when 89 is divided by 7?", "7除以89的余数是多少？"),
    "season": ("Write 4 sentences about autumn.", "写4句关于春天的话。"),
}
TRANSLATIONS = {
    "story": (
        "A farmer has 56 ducks and sells 17. How many ducks are left?",
        "农民有56只鸭子，卖了17只，还剩多少只鸭子？",
    ),
    "geometry": ("Find the volume of a cone of radius 4 and height 9.", "求半径为4、高为9的圆锥的体积。"),
    "number theory": ("How many odd divisors does 270 have?", "270有多少个奇数因数？"),
    "ages": (
        "John is 7 years older than Mary, who is 8. How old is John?",
        "约翰比玛丽大7岁，玛丽今年8岁，约翰今年多少岁？",
    ),
    "statistics": ("What is the median of 4, 6, 9 and 12?", "4、6、9、12的中位数是多少？"),
    "two colours": (
        "There are 4 red balls and 7 blue balls in a box. What is the probability of drawing a red ball?",
        "盒子里有4个红球和7个蓝球，摸到红球的概率是多少？",
    ),
    "traditional script": (
        "A rectangle is 14 cm long and 6 cm wide. What is its area?",
        "長方形長14厘米，寬6厘米，面積是多少？",
    ),
}


def read_across(one: str, other: str, agreed: bool = False) -> bool:
    texts = normalised_problem(one), normalised_problem(other)
    return across(read_parts(texts[0]), read_parts(texts[1]), agreed, texts).harmless


@pytest.mark.parametrize(("one", "other"), APART.values(), ids=APART)
def test_what_no_dictionary_makes_equal_is_two_problems(one: str, other: str) -> None:
    assert not read_across(one, other)
    assert not read_across(other, one)


@pytest.mark.parametrize(("one", "other"), TRANSLATIONS.values(), ids=TRANSLATIONS)
def test_a_translation_is_one_problem(one: str, other: str) -> None:
    assert read_across(one, other)
    assert read_across(other, one)


def test_equal_answers_speak_for_a_word_without_a_counterpart() -> None:
    pair = "A yurt is 6 m wide and costs 90 dollars. What do 3 yurts cost?", "毡房宽6米，价格90美元，3个毡房多少钱？"
    assert not read_across(*pair)
    assert read_across(*pair, agreed=True)
    edges = "A regular icosahedron has sides of 2 cm. How many edges has it?", "正十二面体的棱长为2厘米，它有多少条棱？"
    assert not read_across(*edges, agreed=True)
