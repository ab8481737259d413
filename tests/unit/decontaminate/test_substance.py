"""Substance: what is shared must be of the item's question, not of its form."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tracemill.decontaminate.matching import Items, Problems, matches
from tracemill.engine.tables.dedup import CONTAMINATION_RULES

SPEECH = (
    "Ask not what the harbour can do for you, ask what you can do for the harbour, for every ship that leaves it "
    "carries the work of all of us to every other coast"
)
IDENTITY = r"(a+b)^3 = a^3 + 3a^2b + 3ab^2 + b^3"
ITEMS = {
    "quotation": f'In which year was this speech held: "{SPEECH}"?',
    "identity": rf"The identity ${IDENTITY}$ holds for all reals. How many terms has the expansion of the "
    "fourth power?",
    "angle": r"Given \cos(A - B) = \cos A \cos B + \sin A \sin B, find \cos 15^\circ.",
    "bare identity": r"$u^3 + v^3 - 3uvw + w^3 = (u + v + w)(u^2 + v^2 + w^2 - uv - vw - wu)$",
    "formula": r"Find the value of $\frac{13 \times 12 \times 11 \times 10}{4 \times 3 \times 2 \times 1}$",
    "stock": "Find the remainder when $N$ is divided by $1000$ please.",
    "choices": "Let G be a finite abelian group and H a subgroup. Statement I: H is normal. Statement II: G/H "
    "is cyclic. "
    "Which of the following is correct? A. Statement I only B. Statement II only C. Both Statement I and "
    "Statement II D. "
    "Neither Statement I nor Statement II",
    "code": 'from typing import List\n\n\ndef below_zero(operations: List[int]) -> bool:\n    """ You get the deposits '
    "and withdrawals of an account that begins with nothing. Say whether the balance falls under zero at any moment.\n"
    '    >>> below_zero([1, 2, 3])\n    False\n    """\n',
}  # fmt: skip
HONEST = {
    "bare identity": r"Using $u^3 + v^3 - 3uvw + w^3 = (u + v + w)(u^2 + v^2 + w^2 - uv - vw - wu)$ "
    "find a factor of u^3 + v^3 where w = 0, and its value for u=1, v=2.",
    "formula": "A committee of 4 is drawn from 13 people. Show that the odds of any one committee are one in "
    r"$\frac{13 \times 12 \times 11 \times 10}{4 \times 3 \times 2 \times 1}$, and count those with both twins.",
    "quotation": f'Write an essay about the rhythm of "{SPEECH}" and compare it with a psalm of your choice.',
    "identity": rf"Using ${IDENTITY}$ show that the cube of a sum of two even numbers is even, and say why it "
    "matters.",
    "angle": r"Recall that \cos(A - B) = \cos A \cos B + \sin A \sin B. In a triangle with sin A = 1, what is "
    r"angle C?",
    "stock": "Let N be the number of ways to tile a floor of width 2 and length 30. Find the remainder when N "
    "is divided "
    "by 1000 please.",
    "choices": "Let R be a ring with unit and J an ideal. Statement I: R/J is a field. Statement II: J is "
    "maximal. Which "
    "of the following is correct? A. Statement I only B. Statement II only C. Both Statement I and Statement II D. "
    "Neither Statement I nor Statement II",
    "code": 'from typing import List\n\n\ndef above_mean(operations: List[int]) -> bool:\n    """ Return whether the '
    'last of the given integers is greater than their mean.\n    >>> above_mean([1, 2, 3])\n    True\n    """\n',
}  # fmt: skip
GIVEN_AWAY = {
    "formula": f"{ITEMS['formula']} Thank you!",
    "quotation": f"{ITEMS['quotation']} Name the speaker, too.",
    "angle": "My teacher wrote on the board: " + ITEMS["angle"] + " Who can do that in the head?",
    "choices": "Here is one from the exam of last week. " + ITEMS["choices"],
    "code": ITEMS["code"].replace("below_zero", "ever_negative").replace("operations", "moves"),
}


def hit(text: str) -> set[tuple[str, str]]:
    items = Items({"bench": ITEMS}, np.zeros((len(ITEMS), 0), np.float32))
    problems = Problems(pa.array([text], pa.large_string()), np.zeros((1, 0), np.float16))
    found = set()
    for rule, threshold in zip(CONTAMINATION_RULES, (1.0, 0.5, 0.5, 0.9, 0.75), strict=True):
        if rule != "embedding":
            given_away = matches(rule, problems, items, threshold)
            found |= {(rule, items.name[k]) for k in given_away.items[given_away.hits(threshold)].tolist()}
    return found


@pytest.mark.parametrize("name", HONEST)
def test_a_problem_that_shares_only_the_form_is_kept(name: str) -> None:
    assert hit(HONEST[name]) == set()


@pytest.mark.parametrize("name", GIVEN_AWAY)
def test_a_problem_that_holds_the_question_is_not(name: str) -> None:
    assert name in {item for _, item in hit(GIVEN_AWAY[name])}


def test_a_template_that_many_problems_of_a_shard_have_is_a_form_of_exercise() -> None:
    item = "A shop sells 12 pens for 7 euros and 5 pads for 9 euros; how much do 3 pens and 4 pads cost together?"
    items = Items({"bench": {"0": item}}, np.zeros((1, 0), np.float32))
    texts = [item.replace("12", str(k)).replace("7", str(k + 1)) for k in range(20, 60)]
    alone = Problems(pa.array(texts[:3], pa.large_string()), np.zeros((3, 0), np.float16))
    among = Problems(pa.array(texts, pa.large_string()), np.zeros((len(texts), 0), np.float16))
    assert matches("template", alone, items, 0.75).decisive.tolist() == [True] * 3
    assert matches("template", among, items, 0.75).decisive.tolist() == [False] * len(texts)
