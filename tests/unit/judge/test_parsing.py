"""What models really say when they are asked for JSON, and what may be read from it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.build.shard import MODEL
from tracemill.errors import RecipeError
from tracemill.judge.judges import AnyJudge
from tracemill.judge.labels import TAGS, Labeller, Tags, parse_difficulty
from tracemill.judge.prompts import FOLDER, filled
from tracemill.judge.reading import spoken


def judge(kind: str) -> Any:
    return TypeAdapter(AnyJudge).validate_python({"kind": kind, "model": MODEL})


@pytest.mark.parametrize(
    ("said", "number"),
    [
        pytest.param(
            '{\n  "correctness": "5",\n}\nJustification: same.', 5, id="trailing comma and words, as in table 5"
        ),
        pytest.param('{"correctness": 4}', 4, id="bare number"),
        pytest.param('{"correctness": "4.5"}', 4.5, id="decimal"),
        pytest.param('{"correctness": "<3>"}', 3, id="brackets of the placeholder"),
        pytest.param("'''\n{'correctness': '2'}\n'''", 2, id="single quotes and fence"),
        pytest.param("Correctness score: 5", 5, id="no JSON at all"),
        pytest.param('{"correctness": "<correctness score>",}', None, id="the placeholder itself"),
        pytest.param('{"correctness": "10"}', None, id="off the scale"),
        pytest.param('{"correctness": "0"}', None, id="below the scale"),
        pytest.param('{"correctness": "5.5"}', None, id="just off the scale"),
        pytest.param("correctness: 5 (out of 10)", None, id="of another scale, in brackets"),
        pytest.param("correctness: 5 (/10)", None, id="of another scale, as a fraction in brackets"),
        pytest.param("correctness: 5 (on a scale from 1 to 10)", None, id="of another scale, in words"),
        pytest.param("correctness: 5, max 10", None, id="of another scale, by its top"),
        pytest.param("correctness: 5 (out of 5)", 5, id="of this scale, in brackets"),
        pytest.param("correctness: 4 - on a scale of 1 to 5.", 4, id="of this scale, in words"),
        pytest.param("correctness: 5 (10 apples, as in 3/4)", 5, id="other numbers behind it"),
        pytest.param("I would say it is right.", None, id="no number"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_correctness_score_is_read_or_not(said: str, number: float | None) -> None:
    assert judge("correctness").parse(said) == number


@pytest.mark.parametrize(
    ("said", "number"),
    [
        pytest.param('{"score": "4.99"}', 4.99, id="decimal"),
        pytest.param('{"score": 0}', 0, id="nought is a score"),
        pytest.param("score: 5.0", 5, id="words"),
        pytest.param('{"score": "6"}', None, id="off the scale"),
        pytest.param('{"score": "<a decimal from 0 to 5>"}', None, id="the placeholder itself"),
    ],
)
def test_a_science_score_is_read_or_not(said: str, number: float | None) -> None:
    assert judge("science").parse(said) == number


@pytest.mark.parametrize(
    ("said", "difficulty"),
    [
        pytest.param('```json\n{\n  "difficulty": "[hard]"\n}\n```', "hard", id="brackets copied"),
        pytest.param('{"difficulty": "very  Easy"}', "very easy", id="spaces and capitals"),
        pytest.param('{"difficulty": "[very easy/easy/medium/hard/very hard]"}', None, id="the placeholder itself"),
        pytest.param('{"difficulty": "impossible"}', None, id="no such word"),
        pytest.param('{"difficulty": "easygoing"}', None, id="only the start of a word"),
    ],
)
def test_a_difficulty_is_read_or_not(said: str, difficulty: str | None) -> None:
    assert parse_difficulty(said) == difficulty


@pytest.mark.parametrize(
    ("tags", "said", "found"),
    [
        pytest.param("paper", '{"primary_tag": "Math", "other_tags": ["Logic"]}', Tags("Math", ("Logic",)), id="plain"),
        pytest.param("paper", '{"primary_tag": "<math>", "other_tags": []}', Tags("Math", ()), id="brackets, small"),
        pytest.param(
            "paper", '{"primary_tag": "Math", "other_tags": ["Math", "Poetry", "Coding", "Coding"]}',
            Tags("Math", ("Coding",)), id="unknown ones fall away",
        ),
        pytest.param("paper", '{"primary_tag": "Math", "other_tags": ["<tag>", ...]}', Tags("Math", ()), id="ellipsis"),
        pytest.param("paper", '{"primary_tag": "Planning", "other_tags": []}', None, id="other set"),
        pytest.param("magpie", '{"primary_tag": "Planning", "other_tags": []}', Tags("Planning", ()), id="Magpie"),
        pytest.param("paper", '{"primary_tag": "<primary tag>"}', None, id="the placeholder itself"),
        pytest.param("paper", "Math", None, id="no JSON"),
    ],
)  # fmt: skip
def test_tags_are_read_or_not(tags: str, said: str, found: Tags | None) -> None:
    assert TypeAdapter(Labeller).validate_python({"model": MODEL, "tags": tags}).parse_tags(said) == found


def test_both_tag_sets_come_to_the_topics_of_figure_5() -> None:
    topics = {tag: Tags(tag, ()).topic for tags in TAGS.values() for tag in tags}
    assert topics["Information"] == topics["Information seeking"] == "Information Seeking"
    assert topics["Coding"] == topics["Coding & Debugging"] == "Coding"
    assert topics["Logic"] == topics["Reasoning"] == "Reasoning"
    assert topics["Role playing"] == "other"


def test_only_what_follows_the_thinking_is_a_judgement() -> None:
    assert spoken('<think>maybe "correctness": 1</think>{"correctness": 5}') == '{"correctness": 5}'
    assert spoken('{"correctness": 5}') == '{"correctness": 5}'


@pytest.mark.parametrize("name", sorted(file.stem for file in FOLDER.glob("*.txt")))
def test_filling_a_prompt_leaves_braces_in_values_alone_and_halves_its_own(name: str) -> None:
    text = filled(name, input="{llm_answer} {{x}}", input_query="{input} {{x}}", reference_answer="R", llm_answer="A")
    assert "{{x}}" in text
    assert text.replace("{{x}}", "").count("{{") == 0
    assert ("{llm_answer}" in text) != ("{input}" in text)


def test_an_unknown_prompt_is_named_with_those_there_are() -> None:
    with pytest.raises(RecipeError, match=r"no prompt 'correctness.v9'.*correctness.v1"):
        filled("correctness.v9")
