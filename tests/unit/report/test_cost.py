"""What a response cost, by who wrote it, for what, and what became of it; and that all adds up to what was measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from tests.build.priced import WEIGHTS, WRONG, ran, say, served, tell
from tracemill.cli import app
from tracemill.engine.keys import keys_below
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.local.ahead import Without, ask_ahead
from tracemill.local.measured import Measured, measured
from tracemill.models.fake import FakeServer
from tracemill.models.transport import Response
from tracemill.recipe import load_recipe
from tracemill.report.compare import compare
from tracemill.report.cost import cost
from tracemill.report.spending import Tariff

PRICED = {**WEIGHTS, "serve": {"price": {"gpu_hour": 36.0}}}  # a cent for each second
HOSTED = {"api": {"url": "http://fake/v1", "model": "there", "price": {"input": 1e6, "output": 2e6}}}


def counted(server: FakeServer) -> tuple[int, int]:
    """The tokens that a fake server read and wrote for answers."""
    asked = [request["messages"][-1]["content"] for request in server.generated]
    whole = ["\n".join(turn["content"] for turn in request["messages"]) for request in server.generated]
    answers = [say(prompt, 0) for prompt in asked]
    return sum(len(one.split()) for one in whole), sum(len(one.split()) for one in answers)


@pytest.fixture
def run(tmp_path: Path) -> tuple[str, Store]:
    """A run that the server `one` answered, and wrote down."""
    path = served(tmp_path, PRICED)
    server = FakeServer(say=say)
    store = ran(path, tmp_path / "store", server)
    prompted, generated = counted(server)
    tell(store, "one", prompted=prompted, generated=generated, reading=1.0, writing=4.0)
    return path, store


def test_what_is_attributed_adds_up_to_what_was_used_and_money_follows(run: tuple[str, Store]) -> None:
    path, store = run
    found = cost(load_recipe(path), store)
    (server,) = found.servers.to_dicts()
    assert (server["held"], server["used"]) == (pytest.approx(100), pytest.approx(50))
    assert server["attributed"] == pytest.approx(50)
    assert server["money"] == pytest.approx(1.0), "what is held is paid for"
    (stage,) = found.stages.to_dicts()
    assert (stage["stage"], stage["answers"]) == ("distill", 12)
    assert (stage["device_seconds"], stage["money"]) == (pytest.approx(50), pytest.approx(0.5))
    (teacher,) = found.by("teacher").to_dicts()
    assert (teacher["responses"], teacher["accepted"]) == (12, 11)
    assert teacher["device_seconds_per_accepted"] == pytest.approx(50 / 11)
    assert teacher["money_per_accepted"] == pytest.approx(0.5 / 11)


def test_a_server_of_a_model_that_is_asked_no_more_keeps_its_price(run: tuple[str, Store]) -> None:
    path, store = run
    tell(store, "old", models=("gone",), price={"gpu_hour": 36.0, "currency": "EUR"})
    servers = {row["model"]: row for row in cost(load_recipe(path), store).servers.to_dicts()}
    assert (servers["gone"]["money"], servers["gone"]["currency"]) == (pytest.approx(1.0), "EUR")
    assert servers["tiny"]["currency"] == "USD"


def test_each_source_and_each_reason_has_its_part(run: tuple[str, Store]) -> None:
    path, store = run
    found = cost(load_recipe(path), store)
    sources = {row["source"]: row for row in found.by("source").to_dicts()}
    assert {name: (row["responses"], row["accepted"]) for name, row in sources.items()} == {
        "mine": (6, 5),
        "other": (6, 6),
    }
    assert sum(row["device_seconds"] for row in sources.values()) == pytest.approx(50)
    gone, kept = found.by("step", "reason").to_dicts()
    assert (gone["step"], gone["responses"], gone["accepted"]) == ("verify_math", 1, 0)
    assert gone["money"] > 0, f"what came out wrong ({WRONG} plus ...) was paid for"
    assert gone["money_per_accepted"] is None
    assert (kept["step"], kept["responses"]) == (None, 11)


def test_the_comparison_says_the_same(run: tuple[str, Store]) -> None:
    path, store = run
    recipe = load_recipe(path)
    whole = compare(recipe, store).rates.filter(pl.col("category").is_null()).to_dicts()[0]
    assert whole["device_seconds_per_accepted"] == pytest.approx(50 / 11)
    assert whole["money_per_accepted"] == pytest.approx(0.5 / 11)


def test_tokens_of_a_hosted_model_cost_what_its_price_says(tmp_path: Path) -> None:
    path = served(tmp_path, HOSTED)
    server = FakeServer(say=say)
    store = ran(path, tmp_path / "store", server)
    prompted, generated = counted(server)
    recipe = load_recipe(path)
    (teacher,) = cost(recipe, store).by("teacher").to_dicts()
    assert teacher["money"] == pytest.approx(prompted + 2 * generated)
    assert teacher["device_seconds"] is None
    whole = compare(recipe, store).rates.filter(pl.col("category").is_null()).to_dicts()[0]
    assert whole["money_per_accepted"] == pytest.approx((prompted + 2 * generated) / 11)
    assert Tariff(recipe, store).per_token("tiny") == (1.0, 2.0)


@pytest.mark.parametrize("price", [None, {"input": 1e6, "output": 2e6}], ids=["no price", "priced"])
def test_a_stage_that_was_asked_ahead_has_the_tokens_of_its_answers(tmp_path: Path, price: Any) -> None:
    """Trap: of a hosted model it had found them all, and so had taken no token and no money."""
    path = served(tmp_path, {"api": {**HOSTED["api"], "price": price}})
    recipe = load_recipe(path)
    server = FakeServer(say=say)
    store = ran(path, tmp_path / "store", server, steps=("plan", "ingest"))
    for shard in (0, 1):
        ask_ahead(Without(recipe, []), store, "distill", shard, Resources(workers=1, environment={}, transport=server))
    ran(path, tmp_path / "store", server)
    prompted, generated = counted(server)
    (stage,) = cost(recipe, store).stages.to_dicts()
    assert (stage["answers"], stage["prompt_tokens"], stage["tokens"]) == (12, prompted, generated)
    assert stage["money"] == (pytest.approx(prompted + 2 * generated) if price else None)
    (measure,) = measured(recipe, store).values()
    assert measure == Measured(12, 1.0, prompted / 12, generated / 12)


@pytest.mark.parametrize(
    ("model", "records", "known"),
    [
        pytest.param(WEIGHTS, True, {"device_seconds"}, id="no price in the recipe"),
        pytest.param(PRICED, False, set(), id="a server that left no record"),
        pytest.param({"api": {**HOSTED["api"], "price": None}}, True, set(), id="a hosted model without a price"),
    ],
)
def test_what_nobody_knows_is_null_and_never_guessed(
    tmp_path: Path, model: dict[str, Any], records: bool, known: set[str]
) -> None:
    path = served(tmp_path, model)
    store = ran(path, tmp_path / "store")
    if records:
        tell(store, "one", prompted=100, generated=100)
    found = cost(load_recipe(path), store)
    for rows in (found.by("teacher"), found.stages):
        (row,) = rows.to_dicts()
        assert {name for name in ("device_seconds", "money") if row[name] is not None} == known


def test_a_server_that_wrote_a_part_of_a_group_leaves_its_mean_open(tmp_path: Path) -> None:
    """Trap: a mean over those responses of which the cost is known would be cheaper than any."""
    path = served(tmp_path, PRICED)
    store = ran(path, tmp_path / "store")
    usage = [m.tables["usage"].rows for m in store.manifests([("distill", 0), ("distill", 1)]) if m]
    assert usage == [6, 6]
    found = cost(load_recipe(path), store)
    assert found.traces is not None
    assert found.traces["metered"].sum() == 0
    assert found.by("teacher")["device_seconds_per_accepted"].to_list() == [None]
    assert found.unknown() == 12
    said = CliRunner().invoke(app, ["cost", store.root])
    assert "What 12 responses cost is not known here" in said.output


def test_a_run_that_is_not_done_shows_its_servers_and_stages(tmp_path: Path) -> None:
    path = served(tmp_path, PRICED)
    store = ran(path, tmp_path / "store", steps=["plan", "ingest", "distill"])
    tell(store, "one", prompted=100, generated=100)
    found = cost(load_recipe(path), store)
    assert found.traces is None
    assert found.stages["answers"].to_list() == [12]
    said = CliRunner().invoke(app, ["cost", store.root])
    assert said.exit_code == 0, said.output
    assert "Spent: 1.00 USD" in said.output
    assert "once the run is sealed up to its release" in said.output


def test_the_command_says_writes_and_raises_the_limit(run: tuple[str, Store], tmp_path: Path) -> None:
    _, store = run
    said = CliRunner().invoke(app, ["cost", store.root, "--limit", "5", "--to", str(tmp_path / "cost")])
    assert said.exit_code == 0, said.output
    assert "Spent: 1.00 of 5.00 USD" in said.output
    assert "By teacher" in said.output
    assert pl.read_parquet(tmp_path / "cost" / "traces.parquet")["responses"].sum() == 12
    told = json.loads(CliRunner().invoke(app, ["cost", store.root, "--json"]).output)
    assert (told["limit"], told["currency"]) == (5.0, "USD")
    for wrong, why in (("0", "lets nothing be asked"), ("inf", "is none: give a number")):
        refused = CliRunner().invoke(app, ["cost", store.root, "--limit", wrong])
        assert refused.exit_code == 1
        assert why in refused.output


def test_a_limit_without_a_price_is_refused(tmp_path: Path) -> None:
    store = ran(served(tmp_path, WEIGHTS), tmp_path / "store", steps=["plan"])
    refused = CliRunner().invoke(app, ["cost", store.root, "--limit", "5"])
    assert refused.exit_code == 1
    assert "no model of the recipe has a price" in " ".join(refused.output.split())


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf")])
def test_a_limit_of_nothing_is_refused_where_the_recipe_is_read(tmp_path: Path, wrong: float) -> None:
    with pytest.raises(Exception, match="cost_limit"):
        load_recipe(served(tmp_path, PRICED, cost_limit=wrong))


def test_money_of_two_currencies_is_never_added_up(tmp_path: Path) -> None:
    """Trap: what a source cost was so many dollars and so many euros, added up as if they were one."""
    path = served(tmp_path, HOSTED)
    data = yaml.safe_load(Path(path).read_text())
    euro = {**HOSTED["api"], "price": {"input": 1e6, "output": 2e6, "currency": "EUR"}}
    second = {
        "kind": "distill",
        "problems": "all",
        "teacher": {"kind": "chat", "model": {"name": "other", "api": euro}},
    }
    steps = data["steps"]
    data["steps"] = {"distill": steps.pop("distill"), "second": second, **steps}
    Path(path).write_text(yaml.safe_dump(data, sort_keys=False))
    store = ran(path, tmp_path / "store")
    found = cost(load_recipe(path), store)
    by_source = found.by("source").to_dicts()
    assert {row["source"]: (row["money"], row["money_per_accepted"], row["currency"]) for row in by_source} == {
        "mine": (None, None, None),
        "other": (None, None, None),
    }
    by_teacher = {row["teacher"]: row for row in found.by("teacher").to_dicts()}
    assert {name: row["currency"] for name, row in by_teacher.items()} == {"tiny": "USD", "other": "EUR"}
    assert by_teacher["tiny"]["money"] > 0
    assert dict(found.stages.select("stage", "currency").iter_rows()) == {"distill": "USD", "second": "EUR"}
    said = CliRunner().invoke(app, ["cost", store.root])
    assert said.exit_code == 0, said.output
    assert "prices in several currencies" in said.output


def test_a_response_that_its_provider_did_not_count_leaves_its_group_open(tmp_path: Path) -> None:
    """Trap: it was left out, and the others were cheaper than all of them together."""

    class Sparing(FakeServer):
        async def post(self, url: str, *rest: Any) -> Response:
            answer = await super().post(url, *rest)
            if len(self.requests) == 1:
                answer.data.pop("usage", None)
            return answer

    path = served(tmp_path, HOSTED)
    store = ran(path, tmp_path / "store", Sparing(say=say))
    found = cost(load_recipe(path), store)
    (teacher,) = found.by("teacher").to_dicts()
    assert (teacher["responses"], teacher["accepted"], teacher["counted"]) == (12, 11, 11)
    assert (teacher["tokens"], teacher["money"], teacher["money_per_accepted"]) == (None, None, None)
    assert found.stages["money"].to_list() == [None]


def test_answers_of_a_batch_took_no_seconds_that_anybody_knows(tmp_path: Path) -> None:
    """Trap: each had taken no time at all, and hours of it were forecast as none."""
    path = served(tmp_path, HOSTED)
    store = ran(path, tmp_path / "store")
    for batch in (False, True):
        rates = compare(load_recipe(served(tmp_path, {"api": {**HOSTED["api"], "batch": batch}})), store).rates
        assert rates["seconds_per_accepted"].is_null().all() == batch


def test_a_trace_that_was_continued_reads_its_beginning_twice(tmp_path: Path) -> None:
    """Trap: the second request of a trace read the prompt and the first half for nothing."""
    path = served(tmp_path, HOSTED)
    data = yaml.safe_load(Path(path).read_text())
    data["steps"]["distill"]["teacher"] |= {"sampling": {"max_tokens": 4}, "continue_to": 100, "directives": {}}
    Path(path).write_text(yaml.safe_dump(data, sort_keys=False))
    server = FakeServer(say=say)
    store = ran(path, tmp_path / "store", server)
    recipe = load_recipe(path)
    (teacher,) = cost(recipe, store).by("teacher").to_dicts()
    first, second = (len([r for r in server.generated if ("messages" in r) == chat]) for chat in (True, False))
    assert first == second == 12
    seams = 12  # the fake's tokens are words: the one at each seam is counted once by it
    assert teacher["money"] == pytest.approx(settled(store) + seams)


def test_what_a_repaired_problem_was_answered_before_is_not_paid_for_twice(tmp_path: Path) -> None:
    """Trap: its responses are those to the problem before, and cost once more in each report."""
    path = served(tmp_path, HOSTED)
    data = yaml.safe_load(Path(path).read_text())
    votes = data["steps"].pop("distill")
    votes["teacher"] |= {"samples": 4}
    stronger = {
        "kind": "chat",
        "model": {"name": "other", "api": {**HOSTED["api"], "price": {"input": 1, "output": 1}}},
    }
    again = {**votes, "problems": "unverified"}
    repair = {"kind": "repair", "teacher": stronger}
    verify = data["steps"].pop("verify_math")
    data["steps"] = {"votes": votes, "verify": verify, "repair": repair, "again": again, "last": verify} | data["steps"]
    Path(path).write_text(yaml.safe_dump(data, sort_keys=False))
    server = FakeServer(say=say)
    store = ran(path, tmp_path / "store", server)
    repaired = [row for m in store.manifests([("repair", 0), ("repair", 1)]) if m for row in [m.counts.rejected]]
    assert sum(sum(counts.values()) for counts in repaired) == 1
    found = cost(load_recipe(path), store).by("teacher").to_dicts()
    (tiny,) = [row for row in found if row["teacher"] == "tiny"]
    assert tiny["responses"] == 4 * (12 + 1), "the responses to the repaired problem are rows of their own"
    assert tiny["money"] == pytest.approx(settled(store, "clients/tiny"))


@pytest.mark.parametrize("model", [HOSTED, PRICED], ids=["by tokens", "by the hour"])
def test_what_is_left_of_a_response_is_not_paid_for_again(tmp_path: Path, model: dict[str, Any]) -> None:
    """Trap: of each response a phrase is cut out, and what is left has the tokens of the whole."""
    path = served(tmp_path, model)
    server = FakeServer(say=_at_length)
    before = _teacher(path, ran(path, tmp_path / "plain", server))
    data = yaml.safe_load(Path(path).read_text())
    distill = data["steps"].pop("distill")
    cutting = {"phrases": {"kind": "phrases", "n": 3, "limit": 5}, "drop": {"kind": "drop_phrases", "drop": "string"}}
    data["steps"] = {"distill": distill, **cutting, **data["steps"]}
    Path(path).write_text(yaml.safe_dump(data, sort_keys=False))
    after = _teacher(path, ran(path, tmp_path / "cut", server))
    assert (before["responses"], after["responses"]) == (12, 24)
    assert after["accepted"] == before["accepted"] == 11
    assert after["money"] == pytest.approx(before["money"])
    assert after["money_per_accepted"] == pytest.approx(before["money_per_accepted"])


def _at_length(prompt: str, seed: int) -> str:
    """As `say`, behind five words that all answers have."""
    sum_of = " and ".join(word for word in prompt.split() if word.isdigit())
    return say(prompt, seed).replace("The answer is", f"So here it is now: {sum_of} make")


def _teacher(path: str, store: Store) -> dict[str, Any]:
    """What the one teacher cost, whose server wrote down its life."""
    tell(store, "one", prompted=120, generated=120, reading=1.0, writing=4.0)
    (row,) = cost(load_recipe(path), store).by("teacher").to_dicts()
    return row


def settled(store: Store, place: str = "clients") -> float:
    """What the clients wrote down that they paid."""
    return sum(json.loads(store.read_bytes(key))["spent"] for key in keys_below(store, place))
