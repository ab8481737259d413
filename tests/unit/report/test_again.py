"""A problem of verifiable rewards says all that its verifier needs: run again on a response it says the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.build.trial import Trial
from tracemill.engine.resources import Resources
from tracemill.errors import MissingInput
from tracemill.release.revocations import Revocation, write_list
from tracemill.report.again import judged_again
from tracemill.report.publish import LIST, publish

STEPS: dict[str, Any] = {
    "verify": {"kind": "verify", "defer": True, "verifiers": [{"kind": "math"}, {"kind": "instruction"}]},
    "grade": {"kind": "grade"},
    "stage_one": {"kind": "stage_one"},
    "export": {
        "kind": "export",
        "sets": {
            "sft": {"kind": "sft"},
            "rlvr": {"kind": "rlvr"},
            "control": {"kind": "control", "like": "sft", "apart_from": ["sft"]},
        },
    },
}
ANSWERS = (r"\frac{1}{2}", "0.5", "1/2", "2", r"$\sqrt{4}$", "x+1", "1+x", "50%")
GOLDS = ("1/2", "2", "x+1", "0.5")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Four references, each with every answer: some spell it otherwise, most are wrong."""
    rows = [
        {"q": f"Find the value in case {place}.", "a": gold, "r": f"<think>{k}</think>\\boxed{{{said}}}", "t": "r1"}
        for place, gold in enumerate(GOLDS)
        for k, said in enumerate(ANSWERS)
    ]
    return Trial(tmp_path_factory.mktemp("again"), {"a": rows[:16], "b": rows[16:]}, STEPS).run()


def test_the_same_verdicts(trial: Trial) -> None:
    found = judged_again(trial.recipe, trial.store, Resources(workers=1))
    told = [row for row in trial.rows("verify", "verdicts") if row["status"] != "unverifiable"]
    assert found.judged == len(told) >= 24
    assert {row["status"] for row in told} == {"pass", "fail"}
    assert found.different == []


def test_a_verifier_with_other_settings_would_be_seen(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison can fail: a reference that says something else gives other verdicts."""
    read = pq.read_table

    def altered(*given: Any, **more: Any) -> Any:
        table = read(*given, **more)
        place = table.schema.get_field_index("reference_answer")
        return table.set_column(place, table.schema.field(place), [["7"] * table.num_rows])

    monkeypatch.setattr(pq, "read_table", altered)
    found = judged_again(trial.recipe, trial.store, Resources(workers=1))
    assert {(was, now) for _, _, was, now in found.different} == {("pass", "fail")}


def test_published_sets_lie_in_their_folders_and_never_behind_a_recall(trial: Trial, tmp_path: Path) -> None:
    folder = publish(trial.store, tmp_path / "out")
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert names == {f"export/{name}/{file}" for name in ("sft", "rlvr", "control") for file in FILES} | {LIST}
    problem = trial.rows("ingest", "problems")[0]["id"]
    seen = {"benchmark": "b", "item": "1", "rule": "exact", "score": 1.0, "threshold": 1.0, "shard": 0}
    line = Revocation.model_validate({"generation_id": None, "problem_id": problem, **seen})
    write_list(trial.store, "late", [line])
    with pytest.raises(MissingInput, match="made before something that it stands on changed"):
        publish(trial.store, tmp_path / "out")
    trial.run()
    publish(trial.store, tmp_path / "out")
    rows = pq.read_table(folder / "export" / "rlvr" / "train.parquet").to_pylist()
    assert problem not in {row["problem_id"] for row in rows}
    assert json.loads(rows[0]["verifiers"][0]["settings"])["kind"] == "math"


FILES = ("README.md", "train.parquet")
