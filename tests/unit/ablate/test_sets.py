"""The set without a stage has what that stage alone turned away, and nothing is generated or guessed for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from tests.build.ablated import (
    LEAKED,
    LOOPED,
    SECOND,
    TWICE,
    WRONG,
    ablatable,
    arm_of,
    question,
    questions,
    released,
)
from tests.build.several import Servers
from tests.build.small import ONE, Small
from tests.build.training import machine
from tracemill.ablate.arms import Plan, overlay, planned
from tracemill.ablate.running import begun
from tracemill.ablate.settings import Ablation, settings_of
from tracemill.ablate.stages import present
from tracemill.engine.draws import draws
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.engine.tables.ablation import ABLATION_TOKENS
from tracemill.errors import MissingInput, RecipeError
from tracemill.models.fake import FakeServer
from tracemill.recipe import parse_recipe

BACK = {
    "dedup": question(TWICE),
    "decontamination": question(LEAKED),
    "rules": question(LOOPED),
    "verification": question(WRONG),
    "selection": question(SECOND),
}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Small:
    folder = tmp_path_factory.mktemp("ablated")
    return released(ablatable(folder), machine(folder))


@pytest.fixture(scope="module")
def plan(made: Small) -> Plan:
    return planned(made.recipe, made.store, Ablation(evaluation="evaluate_demo"), ONE)


def test_the_stages_are_those_that_turn_something_away(made: Small) -> None:
    assert present(made.recipe) == ("dedup", "decontamination", "rules", "verification", "selection")


@pytest.mark.parametrize("stage", BACK)
def test_without_a_stage_what_it_alone_turned_away_comes_back(made: Small, plan: Plan, stage: str) -> None:
    """Trap: later steps never saw the row; they decide about it now, and a verifier is asked about it alone."""
    arm = arm_of(plan, f"without_{stage}")
    assert (arm.rows, arm.back, arm.gone, arm.left_out) == (10, 1, 0, {})
    assert questions(made, arm.name) == sorted([*questions(made, "full"), BACK[stage]])


def test_the_random_set_is_drawn_from_all_that_there_is(made: Small, plan: Plan) -> None:
    arm = arm_of(plan, "random")
    assert (arm.rows, arm.back, arm.gone) == (14, 5, 0)


def test_the_recipes_own_shards_stay_as_they_are(made: Small, plan: Plan) -> None:
    """Trap: steps that decide otherwise would become the current ones of the store that they read."""
    root = Path(made.store.root)
    assert made.store.manifest("count_tokens", 0) is None
    kinds = {step: made.store.manifest(step, 0) for step in ("unique", "rules", "select")}
    assert {step: found.settings["kind"] for step, found in kinds.items() if found} == {s: s for s in kinds}
    without = overlay(made.store, "without_rules")
    assert not (Path(without.root) / "ingest").exists()
    assert (root / "rules" / "00000.json").is_file()
    verdicts = without.manifest("verify_math", 0)
    assert verdicts is not None
    assert verdicts.tables["verdicts"].rows == 1  # of the row that came back; the others are the recipe's


def test_every_student_has_as_many_tokens_up_to_a_row_and_the_same_draw_for_a_seed(made: Small, plan: Plan) -> None:
    assert plan.tokens == min(arm.tokens for arm in plan.arms)
    assert len(plan.units) == 5 * 7
    assert {unit.seed for unit in plan.units} == set(range(5))
    for unit in plan.units:
        store = overlay(made.store, unit.arm)
        counted = [store.manifest("count_tokens", shard) for shard in range(2)]
        rows = pl.concat([pl.DataFrame(store.get_table(one.tables[ABLATION_TOKENS.name])) for one in counted if one])
        drawn = draws(rows["generation_id"], str(unit.seed)).to_numpy()
        taken = rows["tokens"].to_numpy()[drawn <= np.uint64(unit.upto)]
        assert plan.tokens - rows["tokens"].max() < taken.sum() <= plan.tokens
        assert unit.arm != "full" or len(taken) == len(rows)  # the smallest set is taken whole


def test_what_is_sealed_is_not_made_again(made: Small, plan: Plan) -> None:
    root = Path(made.store.root) / "ablations"
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*.json")}
    assert planned(made.recipe, made.store, Ablation(evaluation="evaluate_demo"), ONE) == plan
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*.json")} == before


def measured(folder: Path, cut: dict[str, float] | None) -> tuple[Small, Servers]:
    """The recipe with a perplexity step, which a fake server answers."""
    model = {"name": "m", "weights": "org/m", "revision": "abc"}
    step: dict[str, Any] = {"kind": "perplexity", "model": model, "cut": cut}
    servers = Servers({"m": FakeServer()})
    made = ablatable(folder, perplexity=step)
    return released(made, servers.machine()), servers


def without_rules(made: Small, servers: Servers) -> Plan:
    asked = servers.asked
    found = planned(made.recipe, made.store, Ablation(evaluation="e", stages=("rules",)), servers.machine())
    assert servers.asked == asked  # nothing is asked again
    return found


def test_what_a_model_would_have_to_tell_is_named_and_left_out(tmp_path: Path) -> None:
    made, servers = measured(tmp_path, {"at_most": 1e6})
    arm = arm_of(without_rules(made, servers), "without_rules")
    assert (arm.rows, arm.back, arm.left_out) == (9, 0, {"perplexity": 1})


def test_a_step_that_only_measures_takes_nothing_out(tmp_path: Path) -> None:
    made, servers = measured(tmp_path, None)
    assert "perplexity" not in present(made.recipe)
    arm = arm_of(without_rules(made, servers), "without_rules")
    assert (arm.rows, arm.back, arm.left_out, arm.unjudged) == (10, 1, {}, {"perplexity": 1})


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a stage that there is not": ({"stages": ["dedupe"]}, "dedupe|stages"),
    "a stage twice": ({"stages": ["rules", "rules"]}, "name one twice"),
    "few seeds": ({"seeds": 4}, "seeds"),
    "no tokens": ({"tokens": 0}, "tokens"),
    "an interval of everything": ({"interval": 1}, "interval"),
}


@pytest.mark.parametrize(("settings", "words"), BAD.values(), ids=BAD)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        settings_of({"evaluation": "e", **settings})


def plan_of(made: Small, **settings: Any) -> Plan:
    return planned(made.recipe, made.store, Ablation(evaluation="e", **settings), Resources(workers=1))


def test_what_cannot_be_compared_is_one_error(made: Small) -> None:
    with pytest.raises(RecipeError, match="has no stage reward: it has dedup"):
        plan_of(made, stages=("reward",))
    with pytest.raises(RecipeError, match=r"tokens: 1,000,000 are asked for and \w+ has"):
        plan_of(made, tokens=1_000_000)


def test_a_recipe_that_has_not_run_is_refused(tmp_path: Path) -> None:
    bare = ablatable(tmp_path)
    with pytest.raises(MissingInput, match="run the recipe to its release first"):
        planned(bare.recipe, Store.at(str(bare.root), create=True), Ablation(evaluation="e"), ONE)


def test_sets_of_other_settings_than_the_run_had_are_refused(made: Small) -> None:
    """Trap: what lies before a stage was the run's, what comes after today's, and the stage gained the difference."""
    asked = Ablation(evaluation="evaluate_demo", stages=("verification",))
    text = made.recipe_file.read_text(encoding="utf-8")
    for old, new, words in (
        ("kind: rules", "kind: rules\n    styles: [am]", r"changed since it ran on .*\(rules\): run it again first"),
        ("name: small", "name: smaller", "holds recipe 'small', not 'smaller'"),
        ("rows_per_shard: 8", "rows_per_shard: 9", r"\(plan\)"),
        ("description: x", "description: y", ""),
    ):
        assert text.count(old) == 1
        other = parse_recipe(yaml.safe_load(text.replace(old, new)), "here", str(made.folder))
        if words:
            with pytest.raises(RecipeError, match=words):
                begun(other, made.store, asked, ONE)
        else:
            assert begun(other, made.store, asked, ONE).tokens > 0


def test_a_set_without_a_row_is_refused_by_name(tmp_path: Path) -> None:
    """Trap: a student of nothing has a score, too."""
    none = released(ablatable(tmp_path, rules={"kind": "rules", "styles": ["thought"]}), machine(tmp_path))
    with pytest.raises(RecipeError, match="no response is left in full, without_selection"):
        planned(none.recipe, none.store, Ablation(evaluation="e", stages=("selection",)), ONE)
