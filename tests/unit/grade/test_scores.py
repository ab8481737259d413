"""What a response is worth is said by the rule of its category, and where nothing was shown it has no score."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.build.graded import scores_of, verdict

JUDGE = "correctness:qwen"


def attributes(coherence: float, correctness: float, helpfulness: float, model: str = "tree") -> dict[str, Any]:
    named = {"coherence": coherence, "correctness": correctness, "helpfulness": helpfulness}
    return {"generation_id": "g", "reward_model": model, **named, "complexity": 1.0, "verbosity": 1.0, "score": 0.5}


def instructions(*followed: bool | None) -> str:
    return json.dumps([[f"keywords:{k}", one] for k, one in enumerate(followed)])


def of(verifier: str, status: str, score: float | None = None, **fields: Any) -> dict[str, Any]:
    return verdict("g", verifier, status, score, **fields)


NONE = [None, None, None]
CASES: dict[str, tuple[str, list[dict[str, Any]], list[Any]]] = {
    "maths right": ("math", [of("math", "pass")], ["math", 1.0, 1.0, True, None]),
    "maths wrong": ("math", [of("math", "fail")], ["math", 0.0, 0.0, False, None]),
    "a second opinion where maths did not pass": (
        "math",
        [of("math", "fail"), of(JUDGE, "pass", overrules=["math"])],
        ["math", 1.0, 1.0, True, None],
    ),
    "a second opinion that could not be read": (
        "math",
        [of("math", "unverifiable"), of(JUDGE, "unverifiable")],
        ["math", *NONE, "math says unverifiable"],
    ),
    "maths that cannot be told is no nought": (
        "math",
        [of("math", "unverifiable", 0.0)],
        ["math", *NONE, "math says unverifiable"],
    ),
    "constraints followed are no right sum": ("math", [of("instruction", "pass")], ["math", *NONE, "not_judged"]),
    "a right sum that breaks an instruction": (
        "math",
        [of("math", "pass"), of("instruction", "fail", 0.5)],
        ["math", 0.0, 0.0, False, None],
    ),
    "nobody judged": ("math", [], ["math", *NONE, "not_judged"]),
    "code by its share of tests": ("code", [of("code", "fail", 0.9)], ["code", 0.9, 0.9, False, None]),
    "code with all tests": ("code", [of("code", "pass", 1.0)], ["code", 1.0, 1.0, True, None]),
    "code whose tests show nothing": (
        "code",
        [of("code", "unverifiable", 0.4)],
        ["code", *NONE, "code says unverifiable"],
    ),
    "code by no answer text": ("code", [of("math", "pass")], ["code", *NONE, "not_judged"]),
    "science of 5": ("science", [of("science:q", "fail", 0.9)], ["science", 4.5, 0.9, False, None]),
    "science at 4.99": ("science", [of("science:q", "fail", 0.998)], ["science", 4.99, 0.998, False, None]),
    "science above 4.99": ("science", [of("science:q", "pass", 1.0)], ["science", 5.0, 1.0, True, None]),
    "science, the gravest of two judges": (
        "science",
        [of("science:a", "pass", 1.0), of("science:b", "fail", 0.2)],
        ["science", 1.0, 0.2, False, None],
    ),
    "science by its own judge before another": (
        "science",
        [of(JUDGE, "fail", 0.0), of("science:b", "pass", 1.0)],
        ["science", 5.0, 1.0, True, None],
    ),
    "science by another judge where it has none": (
        "science",
        [of("math", "fail"), of(JUDGE, "pass", 1.0)],
        ["science", 5.0, 1.0, True, None],
    ),
    "science whose judge was not readable": (
        "science",
        [of("math", "pass"), of("science:q", "unverifiable")],
        ["science", *NONE, "science:q says unverifiable"],
    ),
    "instructions by their mean": (
        "instruction following",
        [of("instruction", "fail", 2 / 3, detail=instructions(True, True, False))],
        ["instruction", 0.666667, 0.666667, False, None],
    ),
    "an instruction that cannot be told is in no denominator": (
        "if",
        [of("instruction", "fail", 1 / 3, detail=instructions(True, None, False))],
        ["instruction", 0.5, 0.5, False, None],
    ),
    "instructions without a detail": (
        "instruction follow",
        [of("instruction", "fail", 0.25)],
        ["instruction", 0.25, 0.25, False, None],
    ),
    "none broken, one untold": (
        "ifeval",
        [of("instruction", "unverifiable", 0.5, detail=instructions(True, None))],
        ["instruction", *NONE, "instruction says unverifiable"],
    ),
    "out of range": ("code", [of("code", "fail", 1.5)], ["code", *NONE, "out_of_range"]),
    "below range": ("code", [of("code", "fail", -0.1)], ["code", *NONE, "out_of_range"]),
    "not a number": ("code", [of("code", "pass", float("nan"))], ["code", *NONE, "not_a_number"]),
    "endless": ("code", [of("code", "pass", float("inf"))], ["code", *NONE, "not_a_number"]),
}


@pytest.mark.parametrize(("category", "verdicts", "expected"), CASES.values(), ids=CASES)
def test_a_score_follows_the_rule_of_the_category(
    tmp_path: Path, category: str, verdicts: list[dict[str, Any]], expected: list[Any]
) -> None:
    assert scores_of(tmp_path, category, verdicts) == expected


REWARDS: dict[str, tuple[list[dict[str, Any]], tuple[float | None, bool | None, str | None]]] = {
    "the published right answer": ([attributes(3.8582935, 3.9727726, 3.9603815)], (0.983, True, None)),
    "the published wrong answer": ([attributes(3.2032843, 2.2035594, 2.1698856)], (0.631, False, None)),
    "beyond the scale": ([attributes(4.3, 4.2, 4.1)], (1.0, True, None)),
    "below the scale": ([attributes(-0.2, -0.1, 1.2)], (0.1, False, None)),
    "at the threshold": ([attributes(2.75, 2.75, 2.9)], (0.7, False, None)),
    "the mean of two": ([attributes(4, 4, 4), attributes(2, 2, 2, "other")], (0.75, True, None)),
    "one of two without a number": ([attributes(4, 4, 4), attributes(2, float("nan"), 2, "o")], (1.0, True, None)),
    "no number": ([attributes(4, float("nan"), 4)], (None, None, "not_a_number")),
    "not scored": ([], (None, None, "not_judged")),
}


@pytest.mark.parametrize("category", ["other", "Multi-Turn", "general chat"])
@pytest.mark.parametrize(("rewards", "expected"), REWARDS.values(), ids=REWARDS)
def test_conversation_is_scored_by_three_attributes(
    tmp_path: Path, category: str, rewards: list[dict[str, Any]], expected: tuple[float | None, bool | None, str | None]
) -> None:
    rule, raw, score, passed, reason = scores_of(tmp_path, category, [of("math", "pass")], rewards)
    assert (rule, raw) == ("reward", score)
    assert (None if score is None else round(score, 3), passed, reason) == expected


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        pytest.param([of("instruction", "fail", 0.8, detail=instructions(True, False))], [0.0, False], id="one-broken"),
        pytest.param([of("instruction", "pass", 1.0)], [1.0, True], id="none-broken"),
    ],
)
def test_strict_instructions_are_all_or_nothing(
    tmp_path: Path, verdicts: list[dict[str, Any]], expected: list[Any]
) -> None:
    assert scores_of(tmp_path, "if", verdicts, strict=True)[2:4] == expected


@pytest.mark.parametrize(
    ("settings", "passed"),
    [
        pytest.param({}, False, id="the-paper"),
        pytest.param({"thresholds": {"Code": 0.8}}, True, id="its-own"),
        pytest.param({"thresholds": {"code": 0.9}}, False, id="at-it"),
        pytest.param({"thresholds": {"code": 0.9}, "at_threshold": "pass"}, True, id="at-it-and-that-passes"),
        pytest.param({"thresholds": {"math": 0.1}}, False, id="another-category's"),
    ],
)
def test_thresholds_are_settings_by_category(tmp_path: Path, settings: dict[str, Any], passed: bool) -> None:
    assert scores_of(tmp_path, "code", [of("code", "fail", 0.9)], **settings)[3] is passed


def test_a_category_of_your_own_is_scored_by_the_rule_that_you_name(tmp_path: Path) -> None:
    found = scores_of(tmp_path, "puzzles", [of("code", "fail", 0.5)], rules={"puzzles": "code"})
    assert found == ["code", 0.5, 0.5, False, None]
