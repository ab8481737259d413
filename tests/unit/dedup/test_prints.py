"""Two prints of the same words: harmless differences are known by what they are, every other one parts two problems."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracemill.text.problem_text import normalised_problem
from tracemill.text.wording.prints import groups, other_print

APART = {
    "who is eaten": ("Let's eat, grandma. Who is eaten?", "Let's eat grandma. Who is eaten?"),
    "a variable in capitals": ("Sides a and b give the area A. Find A.", "Sides a and b give the area a. Find A."),
    "set and element": ("Let A be a set. Is a in A?", "Let a be a set. Is a in A?"),
    "a verb and a nation": ("How many people in Rome polish shoes?", "How many people in Rome Polish shoes?"),
    "a month": ("What is the march of time?", "What is the March of time?"),
    "a word on words": ("Count the capital letters in 'Big Ben'.", "Count the capital letters in 'big ben'."),
    "quotes make the words the thing": ('How long is "the word"?', "How long is the word?"),
    "what is printed": ("Write a program that prints NO for 3.", "Write a program that prints no for 3."),
    "marks of a text to print": ('Print the string "Oh, no" twice.', 'Print the string "Oh no" twice.'),
    "two arguments": ("Find f(1,200) for f(x, y) = x - y.", "Find f(1200) for f(x, y) = x - y."),
    "what is loved": ("Draw her: she loves cooking, dogs and art.", "Draw her: she loves cooking dogs and art."),
    "whose": ("He met my brother, a singer, yesterday.", "He met my brother a singer yesterday."),
    "function's name": ("Write isEven(n) for integers.", "Write iseven(n) for integers."),
    "country": ("Does the plan help us to grow?", "Does the plan help US to grow?"),
}
ALIKE = {
    "after a condition": ("If x = 3, find y.", "If x = 3 find y."),
    "before and": ("Tom has apples, pears, and plums.", "Tom has apples, pears and plums."),
    "all in capitals": ("FIND THE AREA OF THE FIELD.", "Find the area of the field."),
    "a heading's capitals": ("Find The Number Of Apples In The Box", "Find the number of apples in the box."),
    "carelessly small": ("Tom eats 2. How many are left?", "tom eats 2. how many are left?"),
    "emphasis": ("Which of 2 and 9 is NOT prime?", "Which of 2 and 9 is not prime?"),
    "article at the head": ("A train goes 5 km. An hour later?", "a train goes 5 km. an hour later?"),
    "pronoun": ("I have 3 cats.", "i have 3 cats"),
    "two sentences or one": ("Find x; it is odd.", "Find x. It is odd."),
    "thousands": ("A town has 1,000 people.", "A town has 1000 people."),
    "a number in words": ("Add two numbers.", "Add 2 numbers."),
    "Chinese marks": ("小明有3个苹果，吃了1个。还剩几个？", "小明有3个苹果,吃了1个,还剩几个?"),
    "a name quoted for clearness": ("A number is called 'good' if it is odd.", "A number is called good if it is odd."),
}


@pytest.mark.parametrize(("one", "other"), APART.values(), ids=APART)
def test_two_problems(one: str, other: str) -> None:
    assert other_print(normalised_problem(one), normalised_problem(other))
    assert other_print(normalised_problem(other), normalised_problem(one))


@pytest.mark.parametrize(("one", "other"), ALIKE.values(), ids=ALIKE)
def test_one_problem(one: str, other: str) -> None:
    assert not other_print(normalised_problem(one), normalised_problem(other))
    assert not other_print(normalised_problem(other), normalised_problem(one))


@given(st.text("aAbB ,.?'\"!1(", max_size=30), st.text("aAbB ,.?'\"!1(", max_size=30))
def test_the_order_of_the_two_decides_nothing(one: str, other: str) -> None:
    assert other_print(one, other) == other_print(other, one)
    assert not other_print(one, one)


def test_texts_are_grouped_by_print() -> None:
    texts = ["Let A be 3. Find A.", "Let a be 3. Find a.", "Let A be 3; find A.", "Let a be 3. Find a!"]
    assert groups(texts) == [0, 1, 0, 1]
