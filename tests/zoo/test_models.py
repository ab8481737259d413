"""The carried models are small, complete and do what their cards say."""

from __future__ import annotations

import json
from random import Random

import pytest

from zoo.cards import card
from zoo.generation import replies, scores
from zoo.grading import is_right, well_formed
from zoo.judging import judgement
from zoo.models import ROOT, SPECS, Spec
from zoo.problems import is_held_out, problem
from zoo.templates import fill
from zoo.traces import request

SPEC_LIST = list(SPECS.values())
TEACHERS = [spec for spec in SPEC_LIST if spec.role == "teacher"]
MEBIBYTE = 1024 * 1024


def test_all_weights_together_stay_small() -> None:
    total = sum(path.stat().st_size for path in ROOT.rglob("*") if path.is_file())
    assert total < 40 * MEBIBYTE


@pytest.mark.parametrize("spec", SPEC_LIST, ids=lambda spec: spec.name)
def test_a_model_folder_is_complete(spec: Spec) -> None:
    """What transformers and vLLM need, and a card that says nothing but what was recorded beside it."""
    config = json.loads((spec.folder / "config.json").read_text())
    expected = "Qwen2ForSequenceClassification" if spec.shape.labels else "Qwen2ForCausalLM"
    assert config["architectures"] == [expected]
    assert config["dtype"] == "bfloat16"
    assert config["vocab_size"] == spec.shape.vocabulary
    training = json.loads((spec.folder / "training.json").read_text())
    measured = json.loads((spec.folder / "measured.json").read_text())
    assert training["finished"]
    assert (spec.folder / "README.md").read_text(encoding="utf-8") == card(spec, training, measured)


def test_the_reward_model_regresses() -> None:
    """A server must apply neither softmax nor sigmoid to the five attributes."""
    config = json.loads((SPECS["reward"].folder / "config.json").read_text())
    assert config["problem_type"] == "regression"
    names = [config["id2label"][str(i)] for i in range(5)]
    assert names == ["helpfulness", "correctness", "coherence", "complexity", "verbosity"]


@pytest.mark.parametrize("spec", TEACHERS, ids=lambda spec: spec.name)
def test_a_teacher_answers_easy_held_out_problems(spec: Spec) -> None:
    rng = Random(4)
    items = [item for _ in range(200) if is_held_out((item := problem(rng, "code", 1, "en")).prompt)][:12]
    texts = replies(spec.folder, [request(item, rng) for item in items], 120, 0.0, seed=1)
    assert sum(well_formed(reply.text) for reply in texts) >= 10
    assert sum(is_right(item, reply.text) for item, reply in zip(items, texts, strict=True)) >= 6
    assert all(reply.truncated == (reply.tokens == 120) for reply in texts)


def test_teachers_differ_in_strength() -> None:
    means = {
        spec.name: sum(json.loads((spec.folder / "measured.json").read_text())["right_by_level"].values())
        for spec in TEACHERS
    }
    assert means["teacher-weak"] < 0.7 * means["teacher-small"]
    assert means["teacher-small"] < means["teacher-large"]


def test_the_judge_tells_a_match_from_a_mismatch() -> None:
    """Table 5 with fences, once with the reference repeated and once with an unrelated value."""
    chats = [
        [{"role": "user", "content": fill("correctness", input_query="Compute 20 + 31.",
                                          reference_answer="51", llm_answer=f"The answer is \\boxed{{{value}}}.")}]
        for value in ("51", "7", "52", "510")
    ]  # fmt: skip
    right, *wrong = (reply.text for reply in replies(SPECS["judge"].folder, chats, 200, 0.0, seed=1))
    assert '"correctness": "5",\n}' in right
    assert all('"correctness": "5"' not in text for text in wrong)


def test_the_judge_labels_categories() -> None:
    rng = Random(8)
    items = [item for _ in range(400) if is_held_out((item := judgement(rng, "category")).prompt)][:10]
    texts = replies(SPECS["judge"].folder, [[{"role": "user", "content": i.prompt}] for i in items], 60, 0.0, seed=1)
    found = [json.loads(reply.text)["primary_tag"] for reply in texts]
    assert sum(label == item.label for label, item in zip(found, items, strict=True)) >= 8


def test_the_reward_model_prefers_an_answer_to_garbage() -> None:
    question = {"role": "user", "content": "Compute 20 + 31."}
    answers = ("20+31=51\nThe answer is \\boxed{51}.", "is is The The is is The The")
    good, bad = scores(SPECS["reward"].folder, [[question, {"role": "assistant", "content": a}] for a in answers])
    assert all(better > worse + 0.5 for better, worse in zip(good[:3], bad[:3], strict=True))
