"""What a response states: the clause around a box or behind "the answer is", never just its last formula."""

from __future__ import annotations

import pytest

from tracemill.text.answer_text import normalised_answer
from tracemill.text.extract import stated
from tracemill.verify.math.answers.comparing import same_answer

SAID = [
    ("an_edit", "**Answer: 4**\n\nEdit: the answer should be 9.", "9", "4"),
    ("struck_out", "Final answer: ~~4~~ 9", "9", "4"),
    ("why_not_the_other", "Final answer: 9 rather than 4.", "9", "4"),
    ("a_bullet_is_no_minus", r"- $\boxed{9}$", "9", "-9"),
    ("not_in_a_subject", "The number that does not fit is 9.", "9", "8"),
    ("an_exclamation", r"So it is \boxed{9}! Done.", "9", "362880"),
    ("a_factorial", r"So it is $\boxed{9}!$", "9!", "9"),
    ("a_dozen", "The answer is two dozen.", "24", "2"),
    ("negative_in_words", "The answer is negative 9.", "-9", "9"),
    ("half_of_the_day_behind", r"He comes at \boxed{9:00} p.m.", "9:00 PM", "9:00 AM"),
    ("no_other_is_no_correction", r"\boxed{9}. No other values exist.", "9", "8"),
    ("chinese_yes_behind_a_colon", "答案：是", "是", "否"),
    ("chinese_yes_behind_is", "答案是：是", "是", "否"),
    ("chinese_brackets", "【答案】9\n\n【解析】略", "9", "8"),
    ("sign_before_the_box", r"So the height is $-\boxed{9}$.", "-9", "9"),
    ("factor_behind_the_box", r"The area is $\boxed{9}\pi$.", r"9\pi", "9"),
    ("factor_in_plain_text", r"The area is \boxed{9}\pi.", r"9\pi", "9"),
    ("factor_before_the_box", r"This is $3\cdot\boxed{9}$.", "27", "9"),
    ("inside_a_power", r"We get $x^{\boxed{3}}$.", "x^3", "3"),
    ("inside_a_root", r"We get $\sqrt{\boxed{3}}$.", r"\sqrt{3}", "3"),
    ("unit_behind", r"Area: \(\boxed{9}\,\text{cm}^2\).", "9", "81"),
    ("modulus_behind", r"so $n \equiv \boxed{3} \pmod{7}$.", "3", "7"),
    ("end_of_a_proof", r"gives \[n = \boxed{463}.~\square\]", "463", "46"),
    ("two_forms", r"It is $\boxed{15\frac{1}{2}}$, or $\boxed{\frac{31}{2}}$ inches.", "15.5", "31"),
    ("sum_goes_on", r"$\boxed{49} + 1$", "50", "49"),
    ("equation_goes_on", r"$\boxed{49} = 7^2$", "49", "7"),
    ("two_boxes_are_two_values", r"$x=\boxed{9}$ or $x=\boxed{4}$", "4, 9", "4"),
    ("corrected_box", r"I first got $\boxed{9}$. But that is wrong; it must be $\boxed{4}$.", "4", "9"),
    ("tuple_of_boxes", r"The point is $(\boxed{3}, \boxed{4})$.", "(3,4)", "(4,3)"),
    ("not_the_other", "The answer is $x=3$ and not $x=5$.", "3", "5"),
    ("reason", "Hence the answer is **5**, since $x<6$.", "5", "6"),
    ("either_of_two", "The answer is 5 or 6.", "5, 6", "6"),
    ("sentence", "Final Answer: The number of ways is 42.", "42", "24"),
    ("heading", "### Final Answer\n\n**42**", "42", "24"),
    ("display", "The answer is:\n\\[\n\\frac{1}{2}\n\\]", "0.5", "2"),
    ("money", "The answer is $1,200 in total.", "1200", "200"),
    ("chinese", "答：共有42种方法。", "42", "24"),
    ("chinese_choice", "故选：C", "C", "D"),
    ("chinese_negation", "答案是 7 而不是 8", "7", "8"),
    ("choice_with_reason", "The answer is C, because B is impossible.", "C", "B"),
    ("choice_with_text", "Answer: (C) 48", "C", "B"),
    ("tags", "<answer>C. 48</answer>", "C", "B"),
    ("line_behind_the_box", "$\\boxed{12}$\n\nAnswer: 13", "13", "12"),
    ("mentioned_box", r"\boxed{12} it is; I put the answer in \boxed{...} as asked", "12", "13"),
    ("next_question", "The answer is 7.\n\nQuestion: what is 2+2?\nThe answer is 4.", "7", "4"),
    ("whole_line", "**7**", "7", "8"),
]
UNSAID = [
    ("hedged", "The answer might be 5."),
    ("negated", "The answer is not 5."),
    ("chinese_hedge", "答案可能是 7"),
    ("doubt", "I am not sure."),
    ("numbers_only", "The numbers 3, 5 and 7 are prime."),
    ("empty_box", r"See \boxed{} for the answer"),
    ("denied_box", r"So the answer is not $\boxed{3}$."),
    ("box_called_wrong", r"$\boxed{3}$ is incorrect."),
    ("impossible_box", r"It cannot be $\boxed{3}$."),
    ("asked_box", r"Is it $\boxed{3}$?"),
    ("second_value_outside", r"$\boxed{3}$ or $4$"),
    ("half_a_pair", r"$(\boxed{3}, 4)$"),
    ("minus_in_words", r"minus \boxed{3}"),
    ("bound", r"$x \ge \boxed{3}$"),
    ("million", r"$\boxed{3}$ million"),
    ("factor_of_ten", r"\boxed{3}\times 10^5"),
    ("at_least", "The answer is at least 5."),
    ("ellipsis", "The answer is 5..."),
    ("factorial", "The answer is 5!"),
    ("pair", "The answer is 5; 2"),
    ("condition", "The answer is 5 if n is even and 6 otherwise."),
    ("exception", "The answer is 5 unless x = 0"),
    ("cut_box", r"The answer is \boxed{7"),
    ("minus_outside_the_dollars", r"-$\boxed{5}$"),
    ("denied_before", "It is impossible that the answer is 5"),
    ("should_not_be", "The answer should not be 5."),
    ("hedge_before", "Perhaps the answer is 5."),
    ("doubt_before", "I doubt that the answer is 5."),
    ("called_wrong_before", "The wrong answer is 5."),
    ("of_somebody_else", "Bob's answer is 5."),
    ("called_wrong_in_brackets", r"\boxed{5} (this is incorrect)"),
    ("taken_back", r"$\boxed{5}$. Wait, that is not right."),
    ("corrected_in_words", r"\boxed{5}. No, it is seven."),
    ("rough before a box", r"It is roughly \boxed{5}."),
    ("rough in a formula", r"So $x \approx \boxed{5}$."),
    ("rough in chinese", "答案约为5。"),
    ("supposed", r"One might think that it is \boxed{5}."),
    ("tempting", r"It is tempting to answer \boxed{5} here."),
    ("opposed", r"At first we get \boxed{5}. But it is in fact 7."),
    ("supposed without a box", "If $x$ were even the answer would be 5."),
    ("supposed at the beginning", "If we count rotations, the answer is 5."),
    ("supposed, boxed", r"If $x$ were even it would be \boxed{5}."),
    ("a condition behind the box", r"It is \boxed{5} if the die is fair."),
    ("digits behind the box", r"It is \boxed{5}6"),
    ("decimals behind the box", r"It is \boxed{5}.5"),
    ("decimals of a box", r"It is 0.\boxed{5}"),
    ("a quotient in plain text", r"It is \boxed{5}/8"),
    ("a quotient in words", r"It is \boxed{5} over 8."),
    ("a power in words", r"It is \boxed{5} squared."),
    ("more than the box", r"It is \boxed{5} more than the other."),
    ("struck out", r"It is ~~\boxed{5}~~ eight."),
    ("cancelled", r"It is \cancel{\boxed{5}} eight."),
    ("a multiple in Chinese", "答案是5的倍数。"),
    ("twice in Chinese", "答案是5的两倍。"),
    ("taken back behind a line", "The answer is 5. Oops, I mean eight."),
    ("taken back two lines below", "Answer: 5\n\nLet me see.\nWait, a case is missing."),
    ("a root of a box", r"So we get \sqrt{\boxed{5}}"),
    ("a numerator in plain text", r"So we get \frac{\boxed{5}}{2}"),
    ("multiplied_in_plain_text", r"The answer is 2\boxed{5}"),
    ("taken_back_in_chinese", r"\boxed{5}。不对，应该是 4。"),
]


@pytest.mark.parametrize(("text", "right", "wrong"), [row[1:] for row in SAID], ids=[row[0] for row in SAID])
def test_the_clause_is_read(text: str, right: str, wrong: str) -> None:
    said = normalised_answer(stated(text).text)
    assert same_answer(normalised_answer(right), said) == "equal"
    assert same_answer(normalised_answer(wrong), said) != "equal"


def test_a_sentence_that_goes_on_to_another_value_makes_the_box_unsure() -> None:
    assert not stated(r"So $a$ is \boxed{5}, thus $a + b = 11$.").sure
    assert stated(r"So $a$ is \boxed{5}, as required.").sure


@pytest.mark.parametrize("text", [row[1] for row in UNSAID], ids=[row[0] for row in UNSAID])
def test_what_nobody_said_is_no_answer(text: str) -> None:
    said = stated(text)
    found = {same_answer(str(n), normalised_answer(said.text)) for n in range(3, 9)} if said.text else {"unknown"}
    assert "equal" not in found
