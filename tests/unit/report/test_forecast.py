"""What is said of a run beforehand, and whether it came so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console
from typer.testing import CliRunner

from tests.build.forecasting import PRICE, forecasting, machine
from tests.build.priced import tell
from tests.build.several import rows
from tracemill.cli import app
from tracemill.cli.forecast import _of_the_limit
from tracemill.cli.run import ran
from tracemill.distill.forecasts import Total
from tracemill.engine.runner import shard_count
from tracemill.engine.store import Store
from tracemill.errors import MissingInput, RecipeError
from tracemill.local.run import Run
from tracemill.recipe import Recipe, load_recipe, parse_recipe
from tracemill.report.compare import compare
from tracemill.report.comparison_files import write
from tracemill.report.cost import cost
from tracemill.report.forecast import Quantity, forecasts, pushed, together


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("forecast")
    done = Run(forecasting(folder, PRICE), str(folder / "store"), machine(), Console(quiet=True))
    done.go()
    return done


def test_what_came_stands_beside_what_was_expected(run: Run) -> None:
    dear, cheap = forecasts(run.recipe, run.store)
    assert (dear.stage, dear.teacher, dear.problems, dear.tried, dear.done) == ("distill_dear", "dear", 60, 30, 3)
    for one in (dear, cheap):
        written = pl.DataFrame(rows(run, one.stage, "generations"))
        quantities = {quantity.name: quantity for quantity in one.quantities}
        assert quantities["samples"].actual == written.height
        assert quantities["completion_tokens"].actual == written["completion_tokens"].sum()
        assert quantities["hours"].actual == pytest.approx(written["seconds"].sum() / one.at_once / 3600)
        total = quantities["samples"].total
        assert total
        assert total.low <= total.expected <= total.high


def test_the_comparison_of_teachers_has_it_too(run: Run, tmp_path: Path) -> None:
    page = write(compare(run.recipe, run.store), tmp_path / "page", "Teachers")[-1].read_text(encoding="utf-8")
    assert "distill_dear asks dear 60 problems, of which pilot_dear tried 30" in page
    kept = pl.read_parquet(tmp_path / "page" / "forecasts.parquet").rows_by_key(["teacher", "quantity"], named=True)
    for one in forecasts(run.recipe, run.store):
        for quantity in one.quantities:
            (row,) = kept[one.teacher, quantity.name]
            assert (row["actual"], row["held"], row["unit"]) == (quantity.actual, quantity.held, quantity.unit)
            assert row["expected"] == (quantity.total and quantity.total.expected)


def test_money_is_the_recipes_price_of_the_tokens_and_unknown_without(run: Run) -> None:
    dear, cheap = ({one.name: one for one in found.quantities} for found in forecasts(run.recipe, run.store))
    prompt, completion = (dear[name].actual for name in ("prompt_tokens", "completion_tokens"))
    assert prompt
    assert completion
    assert (dear["money"].unit, dear["money"].actual) == ("EUR", pytest.approx((prompt * 2 + completion * 10) / 1e6))
    expected = [dear[name].total for name in ("prompt_tokens", "completion_tokens", "money")]
    assert all(expected)
    assert expected[2].expected == pytest.approx((expected[0].expected * 2 + expected[1].expected * 10) / 1e6)  # type: ignore[union-attr]
    assert (cheap["money"].total, cheap["money"].actual, cheap["money"].held) == (None, None, None)


def test_an_hour_of_a_gpu_is_priced_by_what_servers_took_for_a_token(run: Run, tmp_path: Path) -> None:
    """Trap: before any server was measured nobody can know; the price alone says nothing."""
    shutil.copytree(run.store.root.removeprefix("file://"), tmp_path / "store")
    store = Store.at(str(tmp_path / "store"))
    priced = forecasting(tmp_path, PRICE, hour={"gpu_hour": 3.6, "currency": "EUR"})
    assert forecasts(priced, store)[1].quantities[-1].total is None
    tell(store, "one", models=("cheap",), busy=50.0, prompted=0, generated=1000.0)  # 0.05 s of a GPU a token
    found = {one.name: one for one in forecasts(priced, store)[1].quantities}
    total, written = found["money"].total, found["completion_tokens"].actual
    assert total
    assert written
    assert (found["money"].unit, found["money"].actual) == ("EUR", pytest.approx(written * 0.05 * 3.6 / 3600))
    assert total.low <= total.expected <= total.high


def test_of_a_batch_nobody_knows_the_hours(run: Run, tmp_path: Path) -> None:
    """Trap: its answers have no seconds, and hours of it were forecast as none."""
    found = forecasts(forecasting(tmp_path, PRICE, batch=True), run.store)[0]
    hours = {one.name: one for one in found.quantities}["hours"]
    assert (hours.total, hours.actual) == (None, None)


def test_together_what_one_does_not_know_is_unknown(run: Run) -> None:
    found = forecasts(run.recipe, run.store)
    whole = {one.name: one for one in together(found)}
    assert whole["money"].total is None
    assert whole["samples"].actual == sum(one.quantities[0].actual or 0 for one in found)
    ends = [one.quantities[0].total for one in found]
    assert whole["samples"].total == Total(*(sum(getattr(one, e) for one in ends) for e in ("expected", "low", "high")))


@pytest.mark.parametrize(
    ("total", "actual", "held"),
    [
        (Total(5, 4, 6), 6.0, True),
        (Total(5, 4, 6), 6.1, False),
        (Total(5, 4, 6), None, None),
        (None, 5.0, None),
    ],
    ids=["at its end", "beyond it", "not done yet", "nobody could know"],
)
def test_held(total: Total | None, actual: float | None, held: bool | None) -> None:
    assert Quantity("samples", "", total, actual).held is held


def test_from_the_command_line(run: Run) -> None:
    said = CliRunner().invoke(app, ["forecast", run.store.root, "--json"])
    assert said.exit_code == 0, said.output
    data = json.loads(said.output)
    assert [one["teacher"] for one in data["teachers"]] == ["dear", "cheap"]
    shown = CliRunner().invoke(app, ["forecast", run.store.root]).output
    assert "money EUR" in shown
    assert "unknown" in shown
    assert "All teachers together" in shown


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        pytest.param(0.5, "The cost_limit of 0.5 EUR would be reached", id="below both ends"),
        pytest.param(1.5, "may be reached", id="between them"),
        pytest.param(2.0, "", id="at the upper one"),
        pytest.param(None, "", id="no limit"),
    ],
)
def test_a_limit_that_the_teachers_would_reach_is_named(limit: float | None, words: str) -> None:
    said = _of_the_limit(Quantity("money", "EUR", Total(1.5, 1.0, 2.0)), limit)
    assert (words in said) if words else said == ""
    assert _of_the_limit(Quantity("money", "EUR", Total(1.5, 1.0, 2.0), actual=1.4), 0.5) == "", "it is done"
    assert _of_the_limit(Quantity("money", "", None), 0.5) == "", "nobody can know"


def test_the_command_says_so(run: Run, tmp_path: Path) -> None:
    shutil.copytree(run.store.root.removeprefix("file://"), tmp_path / "store")
    store = Store.at(str(tmp_path / "store"))
    forecasting(tmp_path, PRICE, ("dear",)).model_copy(update={"cost_limit": 1e-6}).remember(store)
    for shard in range(3):
        store.fs.rm(f"{store.root.removeprefix('file://')}/distill_dear/{shard:05d}.json")
    assert "1e-06 EUR would be reached before" in CliRunner().invoke(app, ["forecast", store.root]).output


def test_a_task_can_push_it(run: Run) -> None:
    told = pushed(run.recipe, run.store, "pilot_dear")
    assert json.loads(json.dumps(told)) == told
    assert (
        0
        < told["completion_tokens"]["low"]
        <= told["completion_tokens"]["expected"]
        <= told["completion_tokens"]["high"]
    )
    assert pushed(run.recipe, run.store, "select") == {}


def test_the_card_has_both(run: Run) -> None:
    sealed = run.store.manifest("release", 0)
    assert sealed
    card = run.store.read_bytes(sealed.files["README.md"].key).decode()
    assert "### Forecast" in card
    assert f"| {len(rows(run, 'distill_cheap', 'generations')):,} |" in card


def test_before_all_is_done_nothing_came(tmp_path: Path) -> None:
    made = forecasting(tmp_path, None, ("cheap",))
    place = str(tmp_path / "store")
    with pytest.raises(MissingInput, match=r"no pilot of .* has run yet with the .*--until pilot_cheap"):
        forecasts(made, Store.at(place, create=True))
    store = ran(made, place, machine(), until="pilot_cheap")
    (found,) = forecasts(made, store)
    assert found.done == 0
    assert {quantity.actual for quantity in found.quantities} == {None}
    assert found.quantities[0].total


@pytest.mark.parametrize("said", [{"sampling": {"max_tokens": 99}}, {"model": "another"}], ids=["asked else", "other"])
def test_what_was_tried_otherwise_says_nothing_of_what_will_be(tmp_path: Path, said: dict[str, Any]) -> None:
    """Trap: with a temperature or a model changed since, what the old one took was forecast of the new one."""
    before = forecasting(tmp_path, PRICE)
    store = ran(before, str(tmp_path / "store"), machine())
    now = changed(before, "dear", said)
    now.remember(store)
    assert [one.teacher for one in forecasts(now, store)] == ["cheap"]
    shown = CliRunner().invoke(app, ["forecast", store.root]).output
    assert "pilot_dear: has not run yet with the settings that the recipe has now" in shown
    assert f"--root {store.root} --until pilot_dear" in shown
    assert json.loads(CliRunner().invoke(app, ["forecast", store.root, "--json"]).output)["left_out"]
    ran(now, store.root, machine(), until="pilot_dear")
    dear, cheap = forecasts(now, store)
    assert (dear.done, cheap.done) == (0, 3), "what was asked before is not what was forecast either"


def test_to_continue_a_trace_its_beginning_is_read_again_also_in_what_is_forecast(tmp_path: Path) -> None:
    """Trap: what the second request read was paid, and in no forecast: it was held, and the bill was another."""
    said = {"sampling": {"max_tokens": 3}, "continue_to": 1000}
    made = changed(forecasting(tmp_path, PRICE, ("dear",)), "dear", said)
    store = ran(made, str(tmp_path / "store"), machine())
    (found,) = forecasts(made, store)
    quantities = {quantity.name: quantity for quantity in found.quantities}
    (paid,) = cost(made, store).by("teacher").to_dicts()
    assert quantities["money"].actual == pytest.approx(paid["money"])
    first = sum(rows_of["prompt_tokens"] for rows_of in rows_at(store, "distill_dear", "generations"))
    assert (quantities["prompt_tokens"].actual or 0) > first
    whole = {name: (one.total.expected if one.total else 0, one.actual or 0) for name, one in quantities.items()}
    each = [read / samples for read, samples in zip(whole["prompt_tokens"], whole["samples"], strict=True)]
    assert each[0] == pytest.approx(each[1], rel=0.1)


def rows_at(store: Store, step: str, table: str) -> list[dict[str, Any]]:
    found = (store.manifest(step, shard) for shard in range(shard_count(store)))
    return [row for one in found if one for row in store.get_table(one.tables[table]).to_pylist()]


def changed(recipe: Recipe, teacher: str, said: dict[str, Any]) -> Recipe:
    """The recipe with how that teacher is asked, or what its name means there, changed in all its steps."""
    data = recipe.model_dump(mode="json")
    for step in data["steps"].values():
        if step.get("teacher", {}).get("model", {}).get("name") == teacher:
            step["teacher"]["sampling"] |= said.get("sampling", {})
            step["teacher"] |= {name: one for name, one in said.items() if name == "continue_to"}
            if "model" in said:
                step["teacher"]["model"]["api"]["model"] = said["model"]
    return parse_recipe(data, "here")


def test_a_recipe_that_forecasts_nothing_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"put a `pilot` step with `forecast: \{\}`"):
        forecasts(load_recipe("demo"), Store.at(tmp_path.as_uri(), create=True))
