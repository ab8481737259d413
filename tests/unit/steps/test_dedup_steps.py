"""Sign, cluster, unique: which of several copies is kept, and what is said of the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.build.shards import HASHING, Shards, problem
from tracemill.dedup.cluster import Cluster
from tracemill.dedup.minhash import BANDS
from tracemill.dedup.sign import Sign
from tracemill.dedup.unique import Unique
from tracemill.engine.ids import problem_id
from tracemill.engine.packed import unpacked
from tracemill.engine.step import ledger_rows
from tracemill.engine.store import Store
from tracemill.errors import RecipeError

SIGN = Sign.model_validate({"kind": "sign", "embedder": HASHING})
LONG = "a farmer has a field in the shape of a rectangle and wants to build a fence around it so that no sheep escape"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def clustered(store: Store, *shards: list[dict[str, Any]], **settings: Any) -> tuple[Shards, list[dict[str, Any]]]:
    run = Shards(store, *shards)
    run.run_all(SIGN)
    output = run.run(Cluster.model_validate({"kind": "cluster", **settings}))
    return run, output.tables["duplicates"].to_pylist()


def kept_for(duplicates: list[dict[str, Any]]) -> dict[tuple[str, int], tuple[str, int, str]]:
    return {(d["problem_id"], d["shard"]): (d["duplicate_of"], d["duplicate_shard"], d["method"]) for d in duplicates}


def test_a_signature_has_all_that_later_steps_compare(store: Store) -> None:
    run = Shards(store, [problem("Add 3 and 4"), problem("Ｗhat is 3 + 4？")])
    signed = run.run(SIGN).tables["signatures"]
    assert signed["problem_id"].to_pylist() == [problem_id("Add 3 and 4"), problem_id("Ｗhat is 3 + 4？")]
    assert unpacked(signed["bands"], np.uint32).shape == (2, BANDS)
    lengths = np.linalg.norm(unpacked(signed["embedding"], np.float16).astype(np.float32), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-3)


def test_signing_again_gives_the_same_bytes(store: Store) -> None:
    problems = [problem(f"{LONG} {k}") for k in range(20)]
    first, again = (Shards(store, problems).run(SIGN).tables["signatures"] for _ in range(2))
    assert first.equals(again)


def test_only_living_problems_are_signed_and_clustered(store: Store) -> None:
    dead, alive = problem("Count to 10"), problem("count to 10!")
    gone = ledger_rows("problem", [dead["id"]], "rejected", "for_a_test").to_pylist()
    run = Shards(store, [dead, alive], ledger=[gone])
    assert run.run(SIGN).tables["signatures"]["problem_id"].to_pylist() == [alive["id"]]
    assert run.run(Cluster(kind="cluster")).tables["duplicates"].num_rows == 0


PRIORITY = {
    "has a reference answer": ({"reference_answer": "7", "source_rank": 9}, {"difficulty": "very hard"}),
    "has tests": ({"test_case": "{}", "source_rank": 9}, {"difficulty": "very hard"}),
    "is harder": ({"difficulty": "hard", "source_rank": 9}, {"difficulty": "medium"}),
    "has a known difficulty": ({"difficulty": "very easy", "source_rank": 9}, {}),
    "comes from a better source": ({"source_rank": 1}, {"source_rank": 2}),
}


@pytest.mark.parametrize(("better", "worse"), PRIORITY.values(), ids=PRIORITY)
@pytest.mark.parametrize("first", ["better", "worse"])
def test_the_row_that_is_kept_is_chosen_by_priority(store: Store, better: Any, worse: Any, first: str) -> None:
    good, bad = problem("Add 3 and 4.", **better), problem("add  3 and 4", **worse)
    shards = ([good], [bad]) if first == "better" else ([bad], [good])
    _, duplicates = clustered(store, *shards)
    home = 0 if first == "better" else 1
    assert kept_for(duplicates) == {(bad["id"], 1 - home): (good["id"], home, "exact")}


def test_a_label_goes_before_the_sources_own_difficulty(store: Store) -> None:
    plain, labelled = problem("Add 3 and 4.", difficulty="medium"), problem("add 3 and 4", difficulty="easy")
    labels = [[], [{"problem_id": labelled["id"], "difficulty": "very hard"}]]
    run = Shards(store, [plain], [labelled], labels=labels)
    run.run_all(SIGN)
    duplicates = run.run(Cluster(kind="cluster")).tables["duplicates"].to_pylist()
    assert [d["duplicate_of"] for d in duplicates] == [labelled["id"]]


def test_the_same_problem_in_two_shards_is_dropped_from_the_later_one(store: Store) -> None:
    both = problem("Add 3 and 4")
    run, duplicates = clustered(store, [both], [problem("Go"), both])
    assert kept_for(duplicates) == {(both["id"], 1): (both["id"], 0, "exact")}
    first, second = run.run_all(Unique(kind="unique"))
    assert first.ledger["bucket"].to_pylist() == ["kept"]
    assert second.ledger.select(["bucket", "reason", "score", "detail"]).to_pylist() == [
        {"bucket": "kept", "reason": None, "score": None, "detail": None},
        {"bucket": "rejected", "reason": "exact_duplicate", "score": 1.0, "detail": both["id"]},
    ]


NEAR = {
    "one word changed": (f"{LONG} please", f"{LONG} thanks", "fuzzy"),
    "a sentence added": (LONG, f"{LONG} thank you", "fuzzy"),
    "words moved": (f"find the way home, {LONG}", f"{LONG}, find the way home", "fuzzy"),
    "reordered": (
        "count the sheep, find the gate, open the barn",
        "open the barn, count the sheep, find the gate",
        "semantic",
    ),
}


@pytest.mark.parametrize(("one", "other", "method"), NEAR.values(), ids=NEAR)
def test_near_duplicates_are_found_and_say_how(store: Store, one: str, other: str, method: str) -> None:
    run, duplicates = clustered(store, [problem(one, reference_answer="1"), problem(other)])
    assert kept_for(duplicates) == {(problem_id(other), 0): (problem_id(one), 0, method)}
    row = duplicates[0]
    assert row["similarity"] >= row["threshold"] == pytest.approx({"fuzzy": 0.7, "semantic": 0.9}[method])
    ledger = run.run(Unique(kind="unique")).ledger.to_pylist()
    assert [(r["reason"], r["detail"]) for r in ledger if r["bucket"] == "rejected"] == [
        ("near_duplicate", problem_id(one))
    ]


APART = {
    "numbers": (f"{LONG} of 30 metres", f"{LONG} of 40 metres"),
    "names": (f"{LONG} says Anna", f"{LONG} says Berta"),
    "question": (f"{LONG} for the largest area", f"{LONG} for the smallest area"),
}


@pytest.mark.parametrize(("one", "other"), APART.values(), ids=APART)
def test_problems_with_other_quantities_names_or_questions_stay_apart(store: Store, one: str, other: str) -> None:
    _, duplicates = clustered(store, [problem(one), problem(other)])
    assert duplicates == []


FENCED = "What does it print?\n```python\n{}\n```"
FOLDED = {
    "a derivative": ("Find $g'(4)$ for $g(t)=t^3$.", "Find $g(4)$ for $g(t)=t^3$."),
    "indentation": (FENCED.format("for k in x:\n    f(k)\n    g(k)"), FENCED.format("for k in x:\n    f(k)\ng(k)")),
    "a slice": (FENCED.format("print(x[2:])"), FENCED.format("print(x[:2])")),
    "a tuple": (FENCED.format("t = (4)"), FENCED.format("t = (4,)")),
    "code without fences": (
        "What?\nfor k in x:\n    print(k)\nprint(x)",
        "What?\nfor k in x:\n    print(k)\n    print(x)",
    ),
}


@pytest.mark.parametrize(("one", "other"), FOLDED.values(), ids=FOLDED)
def test_what_tokens_fold_can_make_two_problems(store: Store, one: str, other: str) -> None:
    _, duplicates = clustered(store, [problem(one), problem(other)])
    assert duplicates == []


def test_code_is_the_same_at_another_indentation_and_without_fences(store: Store) -> None:
    four = "for k in x:\n    print(k)"
    fenced = [problem(f"{LONG}?\n```\n{code}\n```") for code in (four, four.replace("    ", "  "))]
    bare = problem(f"{LONG}?\n{four}")
    _, duplicates = clustered(store, [*fenced, bare])
    assert len(duplicates) == 2


def test_conversations_that_differ_in_what_was_answered_are_two_problems(store: Store) -> None:
    def conversation(said: str) -> dict[str, Any]:
        turns = [("user", "Pick a number."), ("assistant", said), ("user", "Double it.")]
        messages = [{"role": role, "content": content} for role, content in turns]
        return problem("Pick a number.\n\nDouble it.", id=problem_id("", messages), messages=messages)

    _, duplicates = clustered(store, [conversation("Seven"), conversation("Nine")])
    assert duplicates == []


def test_no_chain_of_small_steps_drops_a_row_that_is_like_no_kept_row(store: Store) -> None:
    words = [f"w{chr(97 + k // 26)}{chr(97 + k % 26)}" for k in range(80)]
    texts = [" ".join(words[k * 3 : k * 3 + 40]) for k in range(6)]
    _, duplicates = clustered(store, [problem(t, source_rank=k) for k, t in enumerate(texts)], semantic=None)
    found = {row: target for (row, _), (target, _, _) in kept_for(duplicates).items()}
    assert found == {problem_id(texts[1]): problem_id(texts[0]), problem_id(texts[3]): problem_id(texts[2]),
                     problem_id(texts[5]): problem_id(texts[4])}  # fmt: skip


def test_an_exact_copy_of_a_near_duplicate_names_the_row_that_is_kept(store: Store) -> None:
    best, near, copy = f"{LONG} please", f"{LONG} thanks", f"{LONG} thanks!"
    _, duplicates = clustered(
        store, [problem(best, source_rank=0)], [problem(near, source_rank=1)], [problem(copy, source_rank=2)]
    )
    assert {target for target, _, _ in kept_for(duplicates).values()} == {problem_id(best)}
    assert {shard for _, shard in kept_for(duplicates)} == {1, 2}


def test_tiers_can_be_turned_off(store: Store) -> None:
    one, other = NEAR["one word changed"][:2]
    assert clustered(store, [problem(one), problem(other)], fuzzy=None, semantic=None)[1] == []
    assert clustered(store, [problem(one), problem(other)], fuzzy=None)[1][0]["method"] == "semantic"


@pytest.mark.parametrize("shards", [[[]], [[], []], [[problem("only one")], []]], ids=["one", "two", "half"])
def test_empty_shards_are_no_special_case(store: Store, shards: list[list[dict[str, Any]]]) -> None:
    run, duplicates = clustered(store, *shards)
    assert duplicates == []
    assert sum(out.ledger.num_rows for out in run.run_all(Unique(kind="unique"))) == sum(map(len, shards))


def test_the_result_does_not_depend_on_the_order_of_rows_within_a_shard(store: Store) -> None:
    draw = np.random.default_rng(1)
    words = ["please", "kindly", "now", "just", "also", "really"]
    texts = list(
        dict.fromkeys(f"{LONG} near the {words[a]} and the {words[b]}" for a, b in draw.integers(0, 6, (40, 2)))
    )
    one, other = (
        clustered(store, [problem(t) for t in texts])[1],
        clustered(store, [problem(t) for t in texts[::-1]])[1],
    )
    assert kept_for(one) == kept_for(other)
    assert len(one) > 10


def test_unique_depends_only_on_the_duplicates_of_its_own_shard(store: Store) -> None:
    both, extra = problem("Add 3 and 4"), problem("Go")
    few, _ = clustered(store, [both], [extra])
    more, _ = clustered(store, [both], [both, extra])
    step = Unique(kind="unique")
    assert step.input_digests(few.inputs(step, 0)) == step.input_digests(more.inputs(step, 0))
    assert step.input_digests(few.inputs(step, 1)) != step.input_digests(more.inputs(step, 1))


def test_shards_signed_in_different_spaces_are_refused(store: Store) -> None:
    run = Shards(store, [problem("a")], [problem("b")])
    run.run(SIGN, 0)
    run.run(Sign.model_validate({"kind": "sign", "embedder": {"kind": "hashing", "dimensions": 64}}), 1)
    with pytest.raises(RecipeError, match="different embedders"):
        run.run(Cluster(kind="cluster"))


def test_signatures_are_small(store: Store) -> None:
    signed = Shards(store, [problem("x " * 100_000)]).run(SIGN).tables["signatures"]
    assert isinstance(signed, pa.Table)
    assert signed.nbytes < 1200
