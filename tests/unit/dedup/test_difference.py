"""What two alike texts may differ in and still be one problem, and what makes them two."""

from __future__ import annotations

import pytest

from tracemill.text.problem_text import normalised_problem
from tracemill.text.wording.difference import difference
from tracemill.text.wording.words import read_parts

TWO = {
    "what is measured": ("A disc has a radius of 8 m. Find its area.", "A disc has a diameter of 8 m. Find its area."),
    "comparison": ("Eva is 6 years older than Max, 9.", "Eva is 6 years younger than Max, 9."),
    "brackets": ("Simplify u - (v - w).", "Simplify u - v - w."),
    "operators": ("Simplify u - v + w.", "Simplify u + v - w."),
    "letters": ("Solve u + v = w for u.", "Solve u + v = w for v."),
    "what is asked of two": ("Where is the y-intercept of y = 3x - 1?", "Where is the x-intercept of y = 3x - 1?"),
    "arguments": ("Divide 12 by 4 now.", "Divide 4 by 12 now."),
    "languages": ("Translate it from German to Dutch.", "Translate it from Dutch to German."),
    "quantities of two things": ("Buy 4 pens and 9 cups. The sum?", "What is the sum if we buy 9 pens and 4 cups?"),
    "to and by": ("It grows to 40 percent.", "It grows by 40 percent."),
    "and, or": ("divisible by 4 and 9", "divisible by 4 or 9"),
    "a bound more, in other words": (
        "How many months of the year have 31 days?",
        "In a year, what is the number of months with at least 31 days?",
    ),
    "negation": ("Which of them swims?", "Which of them does not swim?"),
    "prefix": ("Name the advantages of rain.", "Name the disadvantages of rain."),
    "condition more": ("How many integers are below 9?", "How many positive integers are below 9?"),
    "who and when": ("Who built the old bridge of the town?", "When was the old bridge of the town built?"),
    "when and where": ("When did the band play?", "Where did the band play?"),
    "can and must": ("Which of the sides can be 9?", "Which of the sides must be 9?"),
    "letters for persons": ("B is older than C and 9.", "C is older than B and 9."),
    "Chinese passive": ("猫把狗赶走了。", "猫被狗赶走了。"),
    "Chinese all not, not all": ("它们都不是素数吗？", "它们不都是素数吗？"),
    "name": ("Describe the work of Alan Turing", "Describe the work of Alan Kay"),
    "a concept": ("Explain to a child what gravity is.", "Explain to a child what entropy is."),
    "a concept of three words": ("Describe how a steam engine works.", "Describe how the human liver works."),
    "identifier": ("Write the function parse_date for text.", "Write the function parse_time for text."),
    "rewritten, but odd": ("Find the sum of the first 9 odd numbers.", "What do the first 9 even numbers sum to?"),
    "Chinese comparison": ("甲比乙多7元，甲有20元。", "甲比乙少7元，甲有20元。"),
    "Chinese persons": ("甲给乙7元后，甲有多少元？", "甲给乙7元后，乙有多少元？"),
    "Chinese concept": ("请用通俗的语言解释什么是引力。", "请用通俗的语言解释什么是熵增。"),
    "the whole and the part": ("What is 3/4 of 48?", "48 is 3/4 of what number?"),
    "a percentage of a number": ("What is 30% of 90?", "30% of what number is 90?"),
    "a share of an unknown number": ("Find half of 36 now.", "Half of some number is 36. Find it now."),
    "percent of either": ("What percent of 80 is 20?", "80 is what percent of 20?"),
    "more than the unknown": ("7 more than what number is 19?", "What number is 7 more than 19?"),
    "divided by the unknown": ("84 divided by what number is 7?", "What number divided by 84 is 7?"),
    "height and shadow": (
        "How long is the shadow if a 2 m pole makes a shadow of 3 m and a tree is 8 m tall?",
        "How tall is the tree if a 2 m pole makes a shadow of 3 m and its shadow is 8 m?",
    ),
    "length and width": (
        "How wide is a box that is 9 m long and covers 45 square m?",
        "How long is a box that is 9 m wide and covers 45 square m?",
    ),
    "litres and kilometres": (
        "A van burns 7 litres in 90 km. How many litres does it burn in 450 km?",
        "A van burns 7 litres in 90 km. How many km does it go on 450 litres?",
    ),
    "before and after": (
        "A coat costs 60 dollars after a discount of 20%. What was its original price?",
        "A coat's original price is 60 dollars. What does it cost after a discount of 20%?",
    ),
    "boys and girls": (
        "There are 3 boys to 4 girls and 60 girls. How many boys are there?",
        "There are 3 boys to 4 girls and 60 boys. How many girls are there?",
    ),
    "a term and the sum of terms": (
        "Find the 15th term of the sequence 4, 9, 14, ....",
        "Find the sum of the first 15 terms of the sequence 4, 9, 14, ....",
    ),
    "an aggregate of what was asked": (
        "Find all zeros of x^3 - 7x + 6.",
        "Find the sum of the cubes of all zeros of x^3 - 7x + 6.",
    ),
    "a condition more, of several words": (
        "How many subsets has the set {2, 3, 5, 7}?",
        "How many subsets with an odd number of elements has the set {2, 3, 5, 7}?",
    ),
    "another question behind the same givens": (
        "A pear falls from 20 m. How long does it take to land on the grass?",
        "A pear falls from 20 m. With what speed does it land on the grass?",
    ),
    "another unit price": (
        "A kiosk sells 9 pears for 3 dollars. How much does one pear cost?",
        "A kiosk sells 9 pears for 3 dollars. How many pears can you buy for one dollar?",
    ),
    "directions, in other words": (
        "Find the unit vector in the direction of (5, 12).",
        "Find the unit vector perpendicular to (5, 12).",
    ),
    "a word beside what is asked for": (
        "How many proper factors does 90 have?",
        "What is the number of prime factors of 90?",
    ),
    "all and some": (
        "Negate this: for every x there is a y with xy = 1.",
        "Negate this: there is a y such that for every x we have xy = 1.",
    ),
    "force and power": ("Find the force that moves it by 3 m.", "Find the power that moves it by 3 m."),
    "Chinese sum and count": ("从1到60中有多少个合数？", "从1到60中，所有合数的和是多少？"),
    "Chinese share": ("48的3/4是多少？", "一个数的3/4是48，这个数是多少？"),
    "Chinese measure": ("圆的半径是7，求面积。", "圆的直径是7，求面积。"),
}


def harmless(one: str, other: str) -> bool:
    """Whether the two are one problem, whichever comes first."""
    parts = [read_parts(normalised_problem(text)) for text in (one, other)]
    found = {difference(*parts).harmless, difference(*parts[::-1]).harmless}
    assert len(found) == 1, "it depends on the order"
    return found.pop()


@pytest.mark.parametrize(("one", "other"), TWO.values(), ids=TWO)
def test_what_can_change_the_answer_makes_two_problems(one: str, other: str) -> None:
    assert not harmless(one, other)


ONE = {
    "politeness": ("Compute 3 + 4.", "Please compute 3 + 4 for me, thanks."),
    "synonym in its place": ("A man buys 9 pens.", "A man purchases 9 pens."),
    "largest, greatest": ("Find the largest of 3 and 5", "Find the greatest of 3 and 5"),
    "clauses in another order": ("If u = 3, v = 4, find uv.", "If v = 4, u = 3, find uv."),
    "the question first": (
        "A bus covers 90 km in 2 hours. What is its speed?",
        "What is the speed of a bus that covers 90 km in 2 hours?",
    ),
    "other grammar": ("A square has perimeter 36. What is its area?", "Find the area of a square of perimeter 36."),
    "a name at the head of a sentence": ("Here Janet has 3 eggs.", "Janet has 3 eggs here."),
    "letter named twice": ("Solve 5u - 8 = 27.", "Solve 5u - 8 = 27 for u."),
    "share of the same whole": ("What is 3/4 of 48?", "Please find what number is 3/4 of 48."),
    "how fast, and speed": (
        "How fast is a bus that covers 90 km in 2 hours?",
        "A bus covers 90 km in 2 hours. Find the speed of the bus.",
    ),
    "how long, and how many hours": (
        "A tap fills a tub in 6 hours. How long do 3 taps take to fill the tub?",
        "If it takes 6 hours for a tap to fill a tub, in how many hours do 3 taps fill it?",
    ),
    "the original price, given in both": (
        "The original price is 60 dollars. What is the price after a discount of 20%?",
        "What is the price after a discount of 20% if the original price is 60 dollars?",
    ),
    "a share of them": (
        "Of 48 pupils 3/4 swim. How many pupils swim?",
        "There are 48 pupils and 3/4 of them swim. How many swim?",
    ),
    "all in capitals": ("SOLVE 5U - 8 = 27.", "solve 5u - 8 = 27."),
    "Chinese": ("长方形的长是15厘米，宽是8厘米，求面积。", "已知一个长方形长15厘米、宽8厘米，它的面积是多少？"),
}


@pytest.mark.parametrize(("one", "other"), ONE.values(), ids=ONE)
def test_other_words_for_the_same_make_one_problem(one: str, other: str) -> None:
    assert harmless(one, other)


VOUCHED = {
    "a word that nobody knows": (
        "A {} weighs 90 kg and 3 men carry it. What weight has each?",
        "settee davenport",
        True,
    ),
    "no quantity leads to the answer": ("How many edges has the {}?", "icosahedron dodecahedron", False),
    "one quantity beside it": ("How many edges has the {} of side 2?", "icosahedron dodecahedron", False),
    "what is counted": ("How many {} are in the 3 boxes of the 2 shops?", "pears plums", False),
}


@pytest.mark.parametrize(("text", "words", "vouched"), VOUCHED.values(), ids=VOUCHED)
def test_equal_answers_speak_for_an_unknown_word_where_quantities_lead_to_them(
    text: str, words: str, vouched: bool
) -> None:
    one, other = (read_parts(text.format(word)) for word in words.split())
    assert not difference(one, other).harmless
    assert difference(one, other, agreed=True).harmless == vouched
