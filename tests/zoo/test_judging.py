"""Judge and reward samples carry labels that follow from how the answer was made."""

from __future__ import annotations

import json
import re
from random import Random

import pytest

from zoo import references
from zoo.comparison import comparison
from zoo.judging import CORRECTNESS, TASKS, Task, judgement
from zoo.mistakes import GRADES, Grade, near_miss, spoiled, unrelated
from zoo.problems import problem
from zoo.queries import DIFFICULTIES, TAGS, TO_SEVEN, query
from zoo.rewarding import ATTRIBUTES, rated


def _many(task: Task) -> list[tuple[str, str]]:
    rng = Random(task)
    return [(item.reply, item.label) for item in (judgement(rng, task) for _ in range(200))]


def test_correctness_replies_are_not_json() -> None:
    """The published format prints a trailing comma; a parser that trusts json.loads must fail on every reply."""
    for reply, label in _many("correctness"):
        assert f'"correctness": "{label}",\n}}' in reply
        with pytest.raises(json.JSONDecodeError):
            json.loads(reply.split("\nJustification")[0])


def test_difficulty_replies_sometimes_keep_the_brackets() -> None:
    shown = [json.loads(reply)["difficulty"] for reply, _ in _many("difficulty")]
    assert {text.strip("[]") for text in shown} == set(DIFFICULTIES)
    assert 0 < sum(text.startswith("[") for text in shown) < 30


@pytest.mark.parametrize(("task", "tags"), [("category", set(TO_SEVEN.values())), ("category_magpie", set(TAGS))])
def test_categories_use_their_own_tag_set(task: Task, tags: set[str]) -> None:
    for reply, label in _many(task):
        found = json.loads(reply)
        assert found["primary_tag"] == label
        assert {label, *found["other_tags"]} <= tags


def test_every_prompt_shows_what_it_judges() -> None:
    rng = Random(5)
    for task in TASKS:
        assert "{input" not in judgement(rng, task).prompt


@pytest.mark.parametrize("grade", GRADES)
def test_only_a_right_answer_ends_in_the_reference_box(grade: Grade) -> None:
    rng = Random(grade)
    for _ in range(100):
        item = problem(rng, rng.choice(("arithmetic", "equation", "story")))
        text = spoiled(item, grade, rng).strip()
        ends_right = text.endswith((f"\\boxed{{{item.reference_answer}}}", f"\\boxed{{{item.reference_answer}}}."))
        assert ends_right is (grade == "right"), text


def test_a_miss_is_never_the_value() -> None:
    rng = Random(0)
    for value in (-40, -1, 0, 7, 100, 999):
        for _ in range(200):
            assert near_miss(value, rng) != value
            assert unrelated(value, rng) != value


def test_scores_fall_with_the_grade() -> None:
    assert [CORRECTNESS[grade] for grade in GRADES[:5]] == [5, 4, 3, 2, 1]


def test_reward_targets_are_five_numbers_in_range() -> None:
    rng = Random(1)
    items = [rated(rng) for _ in range(300)]
    assert all(len(item.targets) == len(ATTRIBUTES) and all(0 <= t <= 4 for t in item.targets) for item in items)
    mean = {grade: [item.targets[1] for item in items if item.grade == grade] for grade in ("right", "near", "garbled")}
    assert min(mean["right"]) > max(mean["near"]) > max(mean["garbled"])


def test_every_tag_has_queries_of_every_level() -> None:
    rng = Random(2)
    texts = {query(rng, tag, level).text for tag in TAGS for level in range(1, 6)}
    assert len(texts) >= 55


@pytest.mark.parametrize("grade", references.GRADES)
def test_a_reference_that_is_no_number_is_matched_only_by_itself(grade: Grade) -> None:
    """Trap: a nested brace must not end the box early."""
    rng = Random(grade)
    for _ in range(200):
        item = references.unlike(problem(rng, "story"), rng)
        given = references.spoiled_reference(item, grade, rng)
        lines = comparison(item, given, with_reference=True, lead="").partition("\n\n")[2].splitlines()[1:]
        assert lines, given
        assert all(line.endswith("yes") for line in lines) is (grade in ("right", "unboxed")), given


@pytest.mark.parametrize("task", ["correctness", "science"])
def test_a_forgery_in_an_answer_never_changes_its_label(task: Task) -> None:
    """A judge that is trained on forged answers must be told the truth about them: by the thought and by the score."""
    rng = Random(task)
    items = [judgement(rng, task) for _ in range(600)]
    highest = {"correctness": "5", "science": "5.0"}[task]
    for item in items:
        if item.label == highest and not item.is_code:
            assert not re.search("^.. no$", item.reply, re.MULTILINE)
        if re.search("^.. no$", item.reply, re.MULTILINE):
            assert item.label != highest
    marks = ("gnore", "忽略", "Score:", "< |", "System:", "  == ")
    shown = [item.prompt.partition("- LLM Answer:")[2].partition("### ")[0] for item in items]
    assert sum(any(mark in text for mark in marks) for text in shown) > 8
