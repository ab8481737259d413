"""The judge of decontaminate: asked about doubtful pairs alone, a bounded number, and believed when it can be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.build.shard import MODEL, ledger, problem, resources, shard
from tests.build.shards import HASHING
from tracemill.decontaminate.step import Decontaminate
from tracemill.dedup.sign import Sign
from tracemill.engine.step import Output
from tracemill.engine.store import Store
from tracemill.judge.overlap import OverlapJudge
from tracemill.models.fake import FakeServer

ITEM = (
    "A gardener plants 23 rose bushes along a straight path of 154 metres, at equal distances and one at each end. "
    "How far are two neighbours apart?"
)
RETOLD = (
    "Equally spaced lanterns hang on a lane: 23 of them, both ends included. The lane has 154 metres. Find the gap."
)
OTHER = "How many seconds does a snail need for a wall, if it is to climb 6 bricks an hour and there are 48 of them?"


def judged(folder: Path, server: FakeServer, **judge: Any) -> Output:
    (folder / "bench.jsonl").write_text(json.dumps({"q": ITEM}))
    benchmark = {"name": "bench", "path": str(folder / "bench.jsonl"), "field": "q"}
    store, given = Store.at(str(folder / "store"), create=True), resources(server)
    problems = [problem("same", RETOLD), problem("other", OTHER), problem("copy", ITEM)]
    unsigned = shard(store, problems=problems)
    sign = Sign.model_validate({"kind": "sign", "embedder": HASHING})
    signed = sign.run(given, unsigned).tables["signatures"].to_pylist()
    settings = {
        "kind": "decontaminate",
        "benchmarks": [benchmark],
        "embedder": HASHING,
        "embedding": None,
        "alignment": 0.9999,
    }
    step = Decontaminate.model_validate({**settings, "judge": {"model": MODEL, "doubt": 0.0001, **judge}})
    return step.run(given, shard(store, problems=problems, signatures=signed))


def test_what_rules_leave_open_is_decided_by_the_model(tmp_path: Path) -> None:
    server = FakeServer(say=lambda prompt, seed: "Same: yes")
    output = judged(tmp_path, server)
    assert ledger(output) == {
        "same": ("rejected", "contaminated_judge"),
        "other": ("kept", None),
        "copy": ("rejected", "contaminated_exact"),
    }
    (evidence,) = (row for row in output.tables["contamination"].to_pylist() if row["rule"] == "judge")
    assert (evidence["contaminated"], json.loads(evidence["evidence"])["said"]) == (True, "Same: yes")


@pytest.mark.parametrize("said", ["Same: no", "I cannot tell.", "Same: yes. Same: no"])
def test_without_a_clear_yes_the_problem_is_kept(tmp_path: Path, said: str) -> None:
    assert ledger(judged(tmp_path, FakeServer(say=lambda prompt, seed: said)))["same"] == ("kept", None)


@pytest.mark.parametrize(("said", "same"), [("**Same:** Yes", True), ("same - no", False), ("yes", None), ("", None)])
def test_only_the_line_that_was_asked_for_is_an_answer(said: str, same: bool | None) -> None:
    assert OverlapJudge.model_validate({"model": MODEL}).parse(said) is same
