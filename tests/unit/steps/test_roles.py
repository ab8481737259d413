"""Judge, scorer, reward model, perplexity and labeller on one shard: what each decides, and what it leaves alone."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tests.build.shard import MODEL, generation, ledger, problem, rows, run, shard
from tracemill.engine.responses import living_responses
from tracemill.engine.step import Inputs, Output
from tracemill.engine.store import Counts, Manifest, Store
from tracemill.errors import MissingInput, ServingError
from tracemill.judge.annotate import Annotate
from tracemill.judge.judge import JudgeResponses
from tracemill.judge.perplexity import Perplexity
from tracemill.judge.reward import Reward
from tracemill.judge.rewards.base import attributes
from tracemill.judge.score import Score
from tracemill.models.fake import FakeServer
from tracemill.models.request import Ask
from tracemill.select.cut import CutStep
from tracemill.select.gate import Gate

CLASSIFIER = {**MODEL, "task": "classify"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def saying(answers: dict[str, str]) -> FakeServer:
    """A model that says what is listed for the first listed word it finds in the prompt."""
    return FakeServer(say=lambda prompt, seed: next((a for word, a in answers.items() if word in prompt), "no idea"))


def verdict(generation_id: str, status: str, reason: str | None = None) -> dict[str, Any]:
    return {"generation_id": generation_id, "problem_id": "p", "verifier": "math", "status": status, "reason": reason}


def judged(store: Store, server: FakeServer, **settings: Any) -> Output:
    inputs = shard(
        store,
        problems=[problem("p", "2 + 2?", reference_answer="4", category="math"), problem("free", "Tell me a joke")],
        generations=[
            *(generation(g, "p", f"answer-{g}") for g in ("passed", "failed", "wrong", "unclear", "mumbled", "silent")),
            generation("joke", "free"),
        ],
        verdicts=[
            verdict("passed", "pass"),
            verdict("failed", "fail", "wrong_answer"),
            verdict("wrong", "fail", "wrong_answer"),
            verdict("unclear", "unverifiable", "timeout"),
            verdict("mumbled", "fail", "wrong_answer"),
        ],
    )
    settings = {"kind": "judge", "judge": {"kind": "correctness", "model": MODEL}, **settings}
    return run(TypeAdapter(JudgeResponses).validate_python(settings), server, inputs)


OPINIONS = {
    "answer-failed": '{"correctness": "5",}',
    "answer-wrong": '{"correctness": "2",}',
    "answer-unclear": '{"correctness": "5",}',
    "answer-silent": '{"correctness": "4",}',
    "answer-passed": '{"correctness": "1",}',
}


def test_the_second_opinion_rescues_and_rejects_but_leaves_alone_what_passed(store: Store) -> None:
    server = saying(OPINIONS)
    found = ledger(judged(store, server))
    assert found == {
        "passed": ("kept", None),
        "failed": ("kept", None),
        "wrong": ("rejected", "judged_wrong"),
        "unclear": ("kept", None),
        "mumbled": ("quarantined", "unparsable"),
        "silent": ("rejected", "judged_wrong"),
        "joke": ("kept", "not_applicable"),
    }
    assert not any("answer-passed" in json.dumps(request) for request in server.requests)


def test_an_unreadable_judgement_is_asked_again_a_bounded_number_of_times(store: Store) -> None:
    server = saying(OPINIONS)
    output = judged(store, server)
    asked = [r for r in server.requests if "answer-mumbled" in json.dumps(r)]
    assert [r["temperature"] for r in asked] == [0.0, 0.7, 0.7]
    assert len({r["seed"] for r in asked}) == 3
    (mumbled,) = [v for v in output.tables["verdicts"].to_pylist() if v["generation_id"] == "mumbled"]
    assert (mumbled["status"], json.loads(mumbled["detail"])["attempts"]) == ("unverifiable", 3)


def test_a_judgement_read_at_the_second_attempt_counts(store: Store) -> None:
    tries: list[str] = []

    def say(prompt: str, seed: int) -> str:
        tries.append(prompt)
        return '{"correctness": 5}' if tries.count(prompt) > 1 else "hm"

    assert ledger(judged(store, FakeServer(say=say)))["mumbled"] == ("kept", None)


def test_the_pass_mark_is_a_setting_and_the_verdict_keeps_the_number(store: Store) -> None:
    lenient = {"kind": "correctness", "model": MODEL, "pass_mark": 4}
    output = judged(store, saying(OPINIONS), judge=lenient)
    assert ledger(output)["silent"] == ("kept", None)
    (silent,) = [v for v in output.tables["verdicts"].to_pylist() if v["generation_id"] == "silent"]
    assert (silent["verifier"], silent["status"], silent["score"]) == ("correctness:tiny", "pass", 0.75)


def test_where_the_judge_is_not_asked_the_verifiers_word_stands(store: Store) -> None:
    found = ledger(judged(store, saying(OPINIONS), categories=("science",)))
    assert found["failed"] == ("rejected", "wrong_answer")
    assert found["unclear"] == ("quarantined", "timeout")
    assert found["silent"] == ("kept", "not_applicable")


def test_judging_everything_may_overrule_a_pass(store: Store) -> None:
    assert ledger(judged(store, saying(OPINIONS), only="all"))["passed"] == ("rejected", "judged_wrong")


def test_reward_is_the_paper_formula_on_the_answer_alone(store: Store) -> None:
    good = [3.9603815, 3.9727726, 3.8582935, 0.9909791, 1.4901903]  # published example: Jane's apples, right answer
    bad = [2.1698856, 2.2035594, 3.2032843, 0.8786768, 1.4569137]  # the same, wrong answer
    server = FakeServer(reward=lambda prompt, answer: good if "right" in answer else bad)
    inputs = shard(
        store,
        problems=[problem("p", "apples\n")],
        generations=[generation("good", "p", "right\n"), generation("bad", "p", "false\n")],
    )
    settings = {"kind": "reward", "reward_model": {"kind": "served", "model": CLASSIFIER}, "cut": {"at_least": 0.7}}
    output = run(TypeAdapter(Reward).validate_python(settings), server, inputs)
    assert ledger(output) == {"good": ("kept", None), "bad": ("rejected", "low_reward")}
    scores = {row["generation_id"]: row["score"] for row in output.tables["rewards"].to_pylist()}
    assert scores["good"] == pytest.approx(0.983, abs=5e-4)
    assert scores["bad"] == pytest.approx(0.631, abs=5e-4)
    assert server.requests[0]["messages"][1] == {"role": "assistant", "content": "right"}
    assert server.requests[0]["use_activation"] is False


def test_categories_that_verifiers_judge_are_not_scored_and_not_turned_away(store: Store) -> None:
    inputs = shard(
        store,
        problems=[problem("p", "2 + 2?", category="math"), problem("free", "Tell me a joke", category="other")],
        generations=[generation("sum", "p"), generation("joke", "free")],
    )
    settings = {"kind": "reward", "reward_model": {"kind": "served", "model": CLASSIFIER}, "cut": {"at_least": 0.7}}
    step = TypeAdapter(Reward).validate_python({**settings, "skip": ["math"]})
    output = run(step, FakeServer(reward=lambda prompt, answer: [1.0] * 5), inputs)
    assert ledger(output) == {"sum": ("kept", "not_applicable"), "joke": ("rejected", "low_reward")}
    assert output.tables["rewards"]["generation_id"].to_pylist() == ["joke"]
    assert "skip" not in TypeAdapter(Reward).validate_python(settings).settings(inputs)


def test_a_reward_outside_the_scale_is_clipped_and_rubbish_is_an_error(store: Store) -> None:
    assert attributes([4.2, -0.1, 4.0, 2.0, 1.0])[:2] == (4.0, 0.0)
    inputs = shard(store, problems=[problem("p", "q")], generations=[generation("g", "p")])
    settings = {"kind": "reward", "reward_model": {"kind": "served", "model": CLASSIFIER}}
    with pytest.raises(ServingError, match="five numbers"):
        run(TypeAdapter(Reward).validate_python(settings), FakeServer(reward=lambda p, a: [0.3, 0.7]), inputs)


def test_a_generating_model_is_no_reward_model() -> None:
    with pytest.raises(ValidationError, match="set its task to classify"):
        TypeAdapter(Reward).validate_python({"kind": "reward", "reward_model": {"kind": "served", "model": MODEL}})


def test_scoring_asks_without_the_reference(store: Store) -> None:
    server = saying({"answer-good": '{"correctness": "4"}', "answer-poor": '{"correctness": "1"}'})
    inputs = shard(
        store,
        problems=[problem("p", "q", reference_answer="secret")],
        generations=[generation(g, "p", f"answer-{g}") for g in ("good", "poor", "mute")],
    )
    settings = {"kind": "score", "judge": {"kind": "correctness", "model": MODEL}, "cut": {"at_least": 3}}
    output = run(TypeAdapter(Score).validate_python(settings), server, inputs)
    assert ledger(output) == {
        "good": ("kept", None),
        "poor": ("rejected", "low_score"),
        "mute": ("quarantined", "unparsable"),
    }
    assert "secret" not in json.dumps(server.requests)


@pytest.mark.parametrize(
    ("logprob", "fate"),
    [
        pytest.param(-0.5, ("kept", None), id="easily predicted"),
        pytest.param(-math.log(20.5), ("rejected", "high_perplexity"), id="just above 20"),
    ],
)
def test_perplexity_is_cut_at_twenty(store: Store, logprob: float, fate: tuple[str, str | None]) -> None:
    inputs = shard(store, problems=[problem("p", "a b c")], generations=[generation("g", "p", "d e f")])
    step = TypeAdapter(Perplexity).validate_python({"kind": "perplexity", "model": MODEL})
    output = run(step, FakeServer(logprob=logprob), inputs)
    assert ledger(output)["g"] == fate
    (found,) = output.tables["measurements"].to_pylist()
    assert found["value"] == pytest.approx(math.exp(-logprob))
    assert found["tokens"] == 6  # seven words, and the first has no probability


@pytest.mark.parametrize(("policy", "bucket"), [("quarantine", "quarantined"), ("keep", "kept")])
def test_what_cannot_be_measured_is_never_rejected(store: Store, policy: str, bucket: str) -> None:
    inputs = shard(store, problems=[problem("p", "a " * 50)], generations=[generation("g", "p")])
    step = TypeAdapter(Perplexity).validate_python({"kind": "perplexity", "model": MODEL, "unmeasured": policy})
    assert ledger(run(step, FakeServer(context=20), inputs))["g"] == (bucket, "too_long")


def test_a_students_fit_comes_with_the_perplexity_in_one_request(store: Store) -> None:
    """The ratio is that of the response's four words alone: ranks 2 + 1 + 1 + 100 over 4 x 0.5."""
    inputs = shard(
        store,
        problems=[problem("p", "strange words here")],
        generations=[generation("g", "p", "end far", think_content="so it")],
    )
    step = TypeAdapter(Perplexity).validate_python({"kind": "perplexity", "model": MODEL, "rsr": True})
    ranks = {"<think>so": 2, "far": 4000, "words": 900}
    server = FakeServer(rank=lambda word: ranks.get(word, 1))
    output = run(step, server, inputs)
    found = {row["metric"]: (row["value"], row["tokens"]) for row in output.tables["measurements"].to_pylist()}
    assert found == {
        "perplexity": (pytest.approx(math.exp(0.5)), 6),
        "rsr": (pytest.approx(104 / 2.0), 4),
        "surprisal": (pytest.approx(0.5), 4),
    }
    (kept,) = output.tables["ranks"].to_pylist()
    assert (kept["generation_id"], kept["measurer"], kept["own"]) == ("g", "tiny", 4)
    assert kept["ranks"] == [900, 1, 2, 1, 1, 4000]
    assert len(server.generated) == 1
    again = FakeServer(rank=None)
    assert run(step, again, inputs).tables["ranks"].to_pylist() == [kept], "the answer that was paid has them"
    assert again.requests == []


def test_a_server_without_ranks_measures_perplexity_alone(store: Store) -> None:
    inputs = shard(store, problems=[problem("p", "a b")], generations=[generation("g", "p", "c")])
    step = TypeAdapter(Perplexity).validate_python({"kind": "perplexity", "model": MODEL, "rsr": True})
    output = run(step, FakeServer(rank=None), inputs)
    assert output.tables["measurements"]["metric"].to_pylist() == ["perplexity"]
    assert output.tables["ranks"].num_rows == 0
    assert ledger(output)["g"] == ("kept", None)


def test_without_the_setting_nothing_is_asked_or_kept_otherwise(store: Store) -> None:
    """Trap: a recipe that was run before there were ranks finds its paid answers and its sealed shards again."""
    inputs = shard(store, problems=[problem("p", "a b")], generations=[generation("g", "p", "c")])
    step = TypeAdapter(Perplexity).validate_python({"kind": "perplexity", "model": MODEL})
    assert "rsr" not in step.settings(inputs)
    body = {"prompt": "a b\n<think>hm</think>\nc", "max_tokens": 1, "temperature": 0.0, "prompt_logprobs": 0}
    plain = Ask("/v1/completions", body)
    assert step._ask(next(living_responses(inputs))).key("w") == plain.key("w")
    assert replace(plain, ranked="c").key("w") != plain.key("w")
    assert set(run(step, FakeServer(), inputs).tables) == {"measurements"}


def test_labels_are_kept_even_where_one_cannot_be_read(store: Store) -> None:
    server = saying(
        {"difficulty level": '{"difficulty": "[easy]"}', "sum": '{"primary_tag": "Math", "other_tags": []}'}
    )
    inputs = shard(store, problems=[problem("a", "a sum"), problem("b", "a riddle")])
    step = TypeAdapter(Annotate).validate_python({"kind": "annotate", "labeller": {"model": MODEL}})
    output = run(step, server, inputs)
    found = {row["problem_id"]: row for row in output.tables["annotations"].to_pylist()}
    assert (found["a"]["difficulty"], found["a"]["category"], found["a"]["status"]) == ("easy", "Math", "labelled")
    assert (found["b"]["difficulty"], found["b"]["category"], found["b"]["status"]) == ("easy", None, "unverifiable")
    assert ledger(output) == {"a": ("kept", None), "b": ("kept", "unverifiable")}


def test_thinning_out_keeps_about_the_share_and_always_the_same_problems(store: Store) -> None:
    server = saying({"difficulty level": '{"difficulty": "easy"}', "all_task_tags": '{"primary_tag": "Math"}'})
    inputs = shard(store, problems=[problem(f"p{n}", f"sum {n}") for n in range(200)])
    settings = {"kind": "annotate", "labeller": {"model": MODEL}, "keep": {"easy": 0.5}}
    first, second = (ledger(run(TypeAdapter(Annotate).validate_python(settings), server, inputs)) for _ in range(2))
    assert first == second
    assert 70 < sum(fate == ("rejected", "downsampled") for fate in first.values()) < 130


def measured_shards(store: Store, values: list[list[float]]) -> Inputs:
    """Shards with one problem and these measured responses each."""
    sealed = {}
    for number, numbers in enumerate(values):
        ids = [f"g{number}-{k}" for k in range(len(numbers))]
        tables = {
            "problems": rows("problems", [problem(f"p{number}", "q", category="math")]),
            "generations": rows("generations", [generation(i, f"p{number}") for i in ids]),
            "measurements": rows(
                "measurements",
                [
                    {"generation_id": i, "metric": "perplexity", "measurer": "tiny", "value": v}
                    for i, v in zip(ids, numbers, strict=True)
                ],
            ),
        }
        stored = {name: store.put_table(table, "ingest", number, name) for name, table in tables.items()}
        counts = Counts(entered=0, kept=0, rejected={}, quarantined={})
        sealed[number] = [Manifest(step="i", index=number, fingerprint="f", unit="row", counts=counts, tables=stored)]
    return Inputs(store, 0, sealed, [], len(values))


def test_a_quantile_is_taken_over_all_shards_and_applied_in_each(store: Store) -> None:
    inputs = measured_shards(store, [[1.0, 2.0, 3.0], [4.0, 100.0]])
    cut = TypeAdapter(CutStep).validate_python({"kind": "cut", "metric": "perplexity", "quantile": 0.75})
    (row,) = cut.run(None, inputs).tables["cuts"].to_pylist()  # type: ignore[arg-type]  # needs no machine
    assert (row["threshold"], row["rows"], row["median"], row["maximum"]) == (4.0, 5, 3.0, 100.0)
    assert sum(row["counts"]) == 5
    gathered = store.put_table(rows("cuts", [row]), "cut", 0, "cuts")
    counts = Counts(entered=0, kept=0, rejected={}, quarantined={})
    whole = [Manifest(step="cut", index=0, fingerprint="f", unit="row", counts=counts, tables={"cuts": gathered})]
    last = Inputs(store, 1, {1: inputs.sealed[1]}, whole, 2)
    gate = TypeAdapter(Gate).validate_python({"kind": "gate", "metric": "perplexity"})
    assert ledger(run(gate, FakeServer(), last)) == {"g1-0": ("kept", None), "g1-1": ("rejected", "high_perplexity")}


def test_a_gate_without_a_cut_says_so(store: Store) -> None:
    inputs = measured_shards(store, [[1.0]])
    with pytest.raises(MissingInput, match="put a `cut` step"):
        run(TypeAdapter(Gate).validate_python({"kind": "gate", "metric": "perplexity"}), FakeServer(), inputs)


def test_a_judge_is_checked_against_what_was_verified_without_deciding_it(store: Store) -> None:
    server = saying(OPINIONS)
    output = judged(store, server, checked=3)
    assert ledger(output)["passed"] == ("kept", None)
    assert "passed" not in output.tables["verdicts"]["generation_id"].to_pylist()
    opinions = {(row["generation_id"], row["verified"], row["judged"]) for row in output.tables["opinions"].to_pylist()}
    assert opinions == {
        ("passed", "pass", "fail"),
        ("failed", "fail", "pass"),
        ("wrong", "fail", "fail"),
        ("unclear", "unverifiable", "pass"),
        ("mumbled", "fail", "unverifiable"),
    }
