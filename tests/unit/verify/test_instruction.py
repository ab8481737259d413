"""Each of IFEval's 25 instructions followed, broken, and (where that exists) beyond telling."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.pace import within
from tracemill.engine.resources import Resources
from tracemill.text.ifeval_arguments import ARGUMENTS, untold
from tracemill.verify.instructions.counting import capital_words, sentences
from tracemill.verify.instructions.ifeval import CHECKS, followed, followed_loosely
from tracemill.verify.instructions.verifier import InstructionVerifier
from tracemill.verify.verifier import Question, Verdict

PROSE = "The ball is on the table. It will stay there, and that is all."
LOWER = "the ball is on the table and it will stay there"

EXAMPLES: list[tuple[str, dict[str, Any], str, bool | None]] = [
    ("keywords:existence", {"keywords": ["ball", "TABLE"]}, PROSE, True),
    ("keywords:existence", {"keywords": ["ball", "chair"]}, PROSE, False),
    ("keywords:existence", {"keywords": ["C++"]}, "I like C++ a lot", True),
    ("keywords:frequency", {"keyword": "the", "frequency": 2, "relation": "at least"}, PROSE, True),
    ("keywords:frequency", {"keyword": "the", "frequency": 2, "relation": "less than"}, PROSE, False),
    ("keywords:forbidden_words", {"forbidden_words": ["all", "chair"]}, PROSE, False),
    ("keywords:forbidden_words", {"forbidden_words": ["tab"]}, PROSE, True),
    ("keywords:letter_frequency", {"letter": "B", "let_frequency": 2, "let_relation": "at least"}, PROSE, True),
    ("keywords:letter_frequency", {"letter": "!", "let_frequency": 1, "let_relation": "less than"}, "No!", False),
    ("language:response_language", {"language": "en"}, PROSE, True),
    ("language:response_language", {"language": "hi"}, PROSE, False),
    ("language:response_language", {"language": "en"}, "42", None),
    ("length_constraints:number_sentences", {"num_sentences": 9, "relation": "less than"}, PROSE, True),
    ("length_constraints:number_sentences", {"num_sentences": 9, "relation": "at least"}, PROSE, False),
    ("length_constraints:number_sentences", {"num_sentences": 2, "relation": "at least"}, PROSE, True),
    ("length_constraints:number_sentences", {"num_sentences": 3, "relation": "at least"}, PROSE, False),
    ("length_constraints:number_sentences", {"num_sentences": 2, "relation": "at least"}, "今天下雨。我们走！", None),
    ("length_constraints:number_sentences", {"num_sentences": 9, "relation": "less than"}, "今天下雨。我们走！", True),
    ("length_constraints:number_words", {"num_words": 4, "relation": "less than"}, "मैं खुश हूँ", None),
    ("length_constraints:number_words", {"num_words": 3, "relation": "at least"}, "मैं खुश हूँ", True),
    ("keywords:forbidden_words", {"forbidden_words": ["F#"]}, "I write F# at work.", False),
    ("keywords:forbidden_words", {"forbidden_words": [".NET"]}, "with .NET, alas", False),
    ("keywords:forbidden_words", {"forbidden_words": ["€20"]}, "It was €20.", False),
    ("keywords:forbidden_words", {"forbidden_words": ["€20"]}, "It was €200.", True),
    ("keywords:forbidden_words", {"forbidden_words": ["C"]}, "Codes in Cobol", True),
    ("language:response_language", {"language": "de"}, "DER HUND IST IM HAUS UND DIE KATZE NICHT", None),
    ("language:response_language", {"language": "hi"}, "यह एक अच्छा दिन है और मैं खुश हूँ because it rains a lot here", None),
    (
        "change_case:capital_word_frequency",
        {"capital_relation": "at least", "capital_frequency": 2},
        "I'd say so. We've seen NASA's plans.",
        True,
    ),
    ("detectable_format:title", {}, "<<>>>\nroses", False),
    ("detectable_format:json_format", {}, "```json\n```\n{}", False),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "one\n***\ntwo", True),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "***\none\n***\ntwo\n***", True),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "one\n***\n \n***\ntwo", False),
    ("length_constraints:number_words", {"num_words": 14, "relation": "at least"}, PROSE, True),
    ("length_constraints:number_words", {"num_words": 14, "relation": "less than"}, PROSE, False),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "then"},
        "First.\n\n'Then, it rained.",
        True,
    ),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 3, "first_word": "then"},
        "First.\n\nThen",
        False,
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[name] of [city]", True),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[name of\ncity]", False),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Bye.\np.s. Hello", True),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "Bye.\nP.S. Hello", False),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* one\n  - two", True),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* one\n**two**", False),
    ("detectable_format:constrained_response", {}, "My answer is no. Sorry.", True),
    ("detectable_format:constrained_response", {}, "No.", False),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 1}, "a *b* c", True),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "a ** ** c *b*", False),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "Section", "num_sections": 2},
        "Section 1\nSection 2",
        True,
    ),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "SECTION", "num_sections": 2},
        "Section 1\nSection 2",
        False,
    ),
    ("detectable_format:json_format", {}, '```json\n{"a": [1]}\n```', True),
    ("detectable_format:json_format", {}, "Here: {}", False),
    ("detectable_format:json_format", {}, "[" * 100_000, False),
    ("detectable_format:title", {}, "<<a poem>>\nroses", True),
    ("detectable_format:title", {}, "<< >>\nroses", False),
    ("combination:two_responses", {}, "one\n******\ntwo", True),
    ("combination:two_responses", {}, "one\n******\none", False),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say it."}, " say it. There.", True),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say it."}, "Sure. Say it.", False),
    ("startend:end_checker", {"end_phrase": "The end."}, '"So it was. the end."', True),
    ("startend:end_checker", {"end_phrase": "The end."}, "The end. Or not", False),
    ("startend:quotation", {}, '"yes"', True),
    ("startend:quotation", {}, '"', False),
    ("change_case:capital_word_frequency", {"capital_frequency": 2, "capital_relation": "at least"}, "I AM here", True),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 2, "capital_relation": "less than"},
        "I AM here",
        False,
    ),
    ("change_case:english_capital", {}, LOWER.upper(), True),
    ("change_case:english_capital", {}, LOWER, False),
    ("change_case:english_capital", {}, "YES", None),
    ("change_case:english_lowercase", {}, LOWER, True),
    ("change_case:english_lowercase", {}, PROSE, False),
    ("punctuation:no_comma", {}, "one; two", True),
    ("punctuation:no_comma", {}, "one, two", False),
]


def judged(answer: str, constraints: Any) -> Verdict:
    text = constraints if isinstance(constraints, str) else json.dumps(constraints)
    question = Question("g1", "p1", "Write.", None, None, text, answer)
    [verdict] = InstructionVerifier().judge([question], Resources(workers=1))
    return verdict


def named(*instructions: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"instruction_id_list": [n for n, _ in instructions], "kwargs": [k for _, k in instructions]}


def test_what_an_instruction_must_be_told_is_what_its_check_reads() -> None:
    """Trap: a benchmark whose arguments are lost is asked in full, and then nothing of it can be told."""
    assert set(ARGUMENTS) == set(CHECKS)
    whole = {name: given for name, given, _, _ in EXAMPLES}
    for name, needed in ARGUMENTS.items():
        assert untold({"instruction_id_list": [name], "kwargs": [whole[name]]}) is None
        for one in needed:
            less = {key: value for key, value in whole[name].items() if key != one}
            told = untold({"instruction_id_list": [name], "kwargs": [less]})
            assert told == f"the instruction {name} is not told {one}"
            constraints = json.dumps({"instruction_id_list": [name], "kwargs": [less]})
            (verdict,) = InstructionVerifier().judge(
                [Question("g", "p", "P", None, None, constraints, "A b.\n\n" * 9)], Resources(workers=1)
            )
            assert verdict.status != "pass", (name, one)


@pytest.mark.parametrize(("name", "arguments", "text", "followed"), EXAMPLES, ids=[row[0] for row in EXAMPLES])
def test_each_instruction(name: str, arguments: dict[str, Any], text: str, followed: bool | None) -> None:
    assert CHECKS[name](text, arguments) is followed


def test_every_instruction_has_an_example_of_both() -> None:
    assert {(name, followed) for name, _, _, followed in EXAMPLES if followed is not None} == {
        (name, followed) for name in CHECKS for followed in (True, False)
    }
    assert len(CHECKS) == 25


COMMAS: tuple[str, dict[str, Any]] = ("punctuation:no_comma", {})
TITLE: tuple[str, dict[str, Any]] = ("detectable_format:title", {"unused": None})
SHORT: tuple[str, dict[str, Any]] = ("language:response_language", {"language": "en"})


@pytest.mark.parametrize(
    ("answer", "constraints", "status", "reason", "score"),
    [
        ("<<a>> b", named(COMMAS, TITLE), "pass", "all_followed", 1.0),
        ("<<a>>, b", named(COMMAS, TITLE), "fail", "instruction_not_followed", 0.5),
        ("One. Two.", named(COMMAS, SHORT), "unverifiable", "cannot_tell", 0.5),
        ("One, two. Two.", named(COMMAS, SHORT), "fail", "instruction_not_followed", 0.0),
        ("a, b", named(COMMAS, COMMAS), "fail", "instruction_not_followed", 0.0),
        ("a", named(("make:it_rhyme", {})), "unverifiable", "bad_constraints", 0.0),
        ("a", named(("keywords:existence", {})), "unverifiable", "bad_constraints", 0.0),
        ("a", {"instruction_id_list": ["punctuation:no_comma"], "kwargs": []}, "unverifiable", "bad_constraints", 0.0),
        ("a", {"instruction_id_list": [], "kwargs": []}, "unverifiable", "bad_constraints", 0.0),
        ("a", "{broken", "unverifiable", "bad_constraints", 0.0),
        ("a", "[]", "unverifiable", "bad_constraints", 0.0),
    ],
    ids="all one_broken one_unsure fail_beats_unsure twice unknown missing unpaired none no_json no_object".split(),  # noqa: SIM905
)
def test_verdicts(answer: str, constraints: Any, status: str, reason: str, score: float) -> None:
    verdict = judged(answer, constraints)
    assert (verdict.status, verdict.reason, verdict.score) == (status, reason, score)


@pytest.mark.parametrize(
    ("answer", "name", "arguments"),
    [
        pytest.param("one two four", "keywords:existence", {"keywords": "tone"}, id="a text is its letters"),
        pytest.param("a", "keywords:existence", {"keywords": []}, id="no words"),
        pytest.param("a", "keywords:existence", {"keywords": ["a", " "]}, id="a blank word"),
        pytest.param("no", "keywords:forbidden_words", {"forbidden_words": "no"}, id="forbidden letters"),
        pytest.param("a", "startend:end_checker", {"end_phrase": " "}, id="a blank end"),
        pytest.param("a", "combination:repeat_prompt", {"prompt_to_repeat": ""}, id="a blank prompt"),
        pytest.param("a", "detectable_content:postscript", {"postscript_marker": ""}, id="a blank postscript"),
    ],
)
def test_an_argument_that_every_response_meets_is_none(answer: str, name: str, arguments: dict[str, Any]) -> None:
    verdict = judged(answer, named((name, arguments)))
    assert (verdict.status, verdict.reason) == ("unverifiable", "bad_constraints")


def test_blank_arguments_of_other_instructions_are_left_out() -> None:
    """As tables have them that give every instruction the same columns."""
    verdict = judged("a", named(("punctuation:no_comma", {"keywords": "", "end_phrase": "", "forbidden_words": []})))
    assert verdict.status == "pass"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One. Two! Three?", 3),
        ("Dr. Smith met Mr. J. Doe at 5 p.m. in the U.S. office.", 1),
        ("It costs 3.50 in all", 1),
        ('"Stop!" he said... Then he left.', 2),
        ("", 0),
    ],
    ids=["marks", "abbreviations", "decimal", "quotation", "empty"],
)
def test_sentences_are_counted_as_nltk_does(text: str, count: int) -> None:
    assert sentences(text) == count


@pytest.mark.parametrize("blank", ["", "  ", "\n\t\u3000"], ids=["empty", "blanks", "wide blank"])
@pytest.mark.parametrize("name", CHECKS)
def test_a_blank_response_follows_nothing(name: str, blank: str) -> None:
    arguments = next(k for n, k, _, _ in EXAMPLES if n == name)
    assert followed(name, blank, arguments) is False
    assert followed_loosely(name, blank, arguments) is False


@pytest.mark.parametrize(
    ("name", "arguments", "text", "strict", "loose"),
    [
        pytest.param("punctuation:no_comma", {}, "Sure, here:\nno mark", False, True, id="without its first line"),
        pytest.param("startend:quotation", {}, '"so"\nRegards', False, True, id="without its last line"),
        pytest.param("detectable_format:json_format", {}, "See:\n{}\nBye", False, True, id="without both"),
        pytest.param("startend:end_checker", {"end_phrase": "the end"}, "**The end**", False, True, id="without stars"),
        pytest.param("detectable_format:title", {}, "a\nb\nc", False, False, id="in no reading"),
        pytest.param("language:response_language", {"language": "en"}, "42\nA b", None, None, id="beyond telling"),
    ],
)
def test_the_loose_variant_forgives_a_frame(
    name: str, arguments: dict[str, Any], text: str, strict: bool | None, loose: bool | None
) -> None:
    assert followed(name, text, arguments) is strict
    assert followed_loosely(name, text, arguments) is loose
    [verdict] = InstructionVerifier(loose=True).judge(
        [Question("g", "p", "Write.", None, None, json.dumps(named((name, arguments))), text)], Resources(workers=1)
    )
    assert verdict.status == {True: "pass", False: "fail", None: "unverifiable"}[loose]


@pytest.mark.parametrize(
    ("text", "count"),
    [("I've seen NASA's X-ray.", 2), ("USA. U.S. A-B", 3), ("CAN'T", 2), ("Title Case Only", 0), ("3D and (AI)", 2)],
    ids=["contractions", "periods and hyphens", "a contraction is two words", "title case", "digits and brackets"],
)
def test_capital_words_are_counted_as_nltk_does(text: str, count: int) -> None:
    assert capital_words(text) == count


@pytest.mark.parametrize("name", CHECKS)
def test_no_response_takes_long(name: str) -> None:
    arguments = next(k for n, k, _, _ in EXAMPLES if n == name)
    texts = (
        "*" * 50_000,
        "[" * 50_000,
        "<" * 50_000,
        "\n" * 50_000,
        "a. " * 20_000,
        '"' * 50_000,
        "- \n" * 20_000,
    )
    within(3.0, lambda: [CHECKS[name](text, arguments) for text in texts])
