"""Which teacher is asked: routes by category and difficulty, and a strong teacher where a cheap one fails."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from rich.console import Console

from tests.build.several import Servers
from tests.build.shard import MODEL, generation, ledger, problem, run, shard
from tracemill.distill.scope import Group
from tracemill.distill.step import Distill
from tracemill.engine.runner import shard_count
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.local.run import Run
from tracemill.models.fake import FakeServer
from tracemill.recipe import Recipe, parse_recipe
from tracemill.report.funnel import print_funnel
from tracemill.report.idle import idle_routes

PROBLEMS = [
    problem("easy", "1 + 1?", category="math", difficulty="easy"),
    problem("hard", "the zeta function?", category="Mathematics", difficulty="Very  Hard"),
    problem("code", "sort it", category="code", difficulty="hard"),
    problem("bare", "hello"),
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def distill(**settings: Any) -> Distill:
    said = {"kind": "distill", "teacher": {"kind": "chat", "model": MODEL}, "problems": "all", **settings}
    return TypeAdapter(Distill).validate_python(said)


@pytest.mark.parametrize(
    ("routes", "asked"),
    [
        pytest.param({"where": {"category": ["math"]}}, {"easy", "hard"}, id="any spelling of a category"),
        pytest.param({"where": {"difficulty": ["very hard"]}}, {"hard"}, id="any spelling of a difficulty"),
        pytest.param({"where": {"category": ["math"], "difficulty": ["easy"]}}, {"easy"}, id="both at once"),
        pytest.param({"where": {"category": ["math", None]}}, {"easy", "hard", "bare"}, id="those without one"),
        pytest.param({"unless": {"category": ["math"]}}, {"code", "bare"}, id="all others"),
        pytest.param(
            {"where": {"category": ["math", "code"]}, "unless": {"difficulty": ["easy"]}},
            {"hard", "code"},
            id="some of these",
        ),
        pytest.param({"where": {"category": ["biology"]}}, set(), id="a category that there is not"),
        pytest.param({}, {"easy", "hard", "code", "bare"}, id="no routes"),
    ],
)
def test_a_route_takes_its_groups_and_says_what_it_leaves(store: Store, routes: Any, asked: set[str]) -> None:
    output = run(distill(**routes), FakeServer(), shard(store, problems=PROBLEMS))
    found = ledger(output)
    assert {name for name, fate in found.items() if fate == ("kept", "distilled")} == asked
    assert {name for name, fate in found.items() if fate == ("kept", "routed_away")} == found.keys() - asked
    assert {row["problem_id"] for row in output.tables["generations"].to_pylist()} == asked
    away = {row["id"]: row["detail"] for row in output.ledger.to_pylist() if row["reason"] == "routed_away"}
    assert away.get("code", "category code, difficulty hard") == "category code, difficulty hard"


def test_routes_by_what_an_annotator_says(store: Store) -> None:
    said = [
        {"problem_id": "easy", "category": "Coding", "difficulty": "hard", "status": "labelled"},
        {"problem_id": "code", "category": None, "difficulty": None, "status": "unverifiable"},
    ]
    inputs = shard(store, problems=PROBLEMS, annotations=said)
    step = distill(where={"category": ["code"]}, labels="annotator")
    assert {name for name, (_, why) in ledger(run(step, FakeServer(), inputs)).items() if why == "distilled"} == {
        "easy"
    }
    read = {digest[2] for digest in step.input_digests(inputs)}
    assert "annotations" in read
    assert "annotations" not in {digest[2] for digest in distill().input_digests(inputs)}


def test_routes_of_nothing_are_in_no_fingerprint(store: Store) -> None:
    inputs = shard(store, problems=PROBLEMS)
    assert distill().settings(inputs).keys() == {"kind", "teacher", "problems", "verified_by"}


@pytest.mark.parametrize("group", [{}, {"category": []}, {"kind": ["math"]}, {"category": "math"}], ids=repr)
def test_groups_that_say_nothing_are_refused(group: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Group).validate_python(group)


def recipe(folder: Path, steps: dict[str, Any]) -> Recipe:
    rows = [json.dumps({"q": f"{n} + 0?", "a": str(n), "c": "math"}) for n in range(12)]
    (folder / "rows.jsonl").write_text("\n".join(rows))
    columns = {"prompt": "q", "reference_answer": "a", "category": "c"}
    source = {"kind": "jsonl", "name": "sums", "path": str(folder / "rows.jsonl"), "columns": columns}
    said = {"name": "routes", "description": "", "rows_per_shard": 5, "sources": [source], "steps": steps}
    return parse_recipe(said, "here")


def asking(name: str, **settings: Any) -> dict[str, Any]:
    model = {"name": name, "weights": f"org/{name}", "revision": "abc"}
    return {"kind": "distill", "teacher": {"kind": "chat", "model": model}, **settings}


def solving(limit: int) -> FakeServer:
    """A teacher that adds zero to numbers below the limit."""

    def say(prompt: str, seed: int) -> str:
        number = int(prompt.split()[0])
        return f"<think>\nhm\n</think>\n<answer>\n\\boxed{{{number if number < limit else 'no idea'}}}\n</answer>"

    return FakeServer(say=say)


def test_a_strong_teacher_is_asked_where_a_cheap_one_failed(tmp_path: Path) -> None:
    """A cascade of steps there are; what each problem became of is told by each of them."""
    servers = {"cheap": solving(7), "strong": solving(11)}
    steps = {
        "cheap": asking("cheap"),
        "verify_cheap": {"kind": "verify", "verifiers": [{"kind": "math"}]},
        "strong": asking("strong", problems="unverified"),
        "verify": {"kind": "verify", "verifiers": [{"kind": "math"}]},
        "select": {"kind": "select"},
        "release": {"kind": "release"},
    }
    done = Run(recipe(tmp_path, steps), str(tmp_path / "store"), Servers(servers).machine(), Console(quiet=True))
    done.go()
    assert (len(servers["cheap"].generated), len(servers["strong"].generated)) == (12, 5)
    fates = [
        row["reason"]
        for shard_number in range(shard_count(done.store))
        if (sealed := done.store.manifest("strong", shard_number))
        for row in done.store.get_table(sealed.tables["ledger"]).to_pylist()
    ]
    assert sorted(fates) == ["distilled"] * 5 + ["verified"] * 7
    released = done.store.manifest("release", 0)
    assert released
    assert released.counts.kept == 11


@pytest.mark.parametrize(
    ("first", "told"),
    [
        pytest.param({"where": {"category": ["maths", "geometrie"]}}, [], id="a route that takes some"),
        pytest.param(
            {"where": {"category": ["geometrie"]}},
            ["one: `where` and `unless` route none of 12 problems to it: category math, difficulty none"],
            id="a misspelt one",
        ),
        pytest.param({"problems": "unverified"}, [], id="no route"),
    ],
)
def test_a_route_that_takes_no_problem_is_named(tmp_path: Path, first: dict[str, Any], told: list[str]) -> None:
    """Trap: the run ended well, its release was empty, and the funnel showed every problem as kept."""
    servers = Servers({"one": solving(12), "two": solving(12)})
    verify = {"kind": "verify", "verifiers": [{"kind": "math"}]}
    solved = {"where": {"category": ["math"]}, "problems": "unverified"}  # asked for none either: all are solved
    steps = {"one": asking("one", **first), "v": verify, "two": asking("two", problems="all"), "w": verify}
    steps |= {"three": asking("two", **solved)}
    done = Run(recipe(tmp_path, steps), str(tmp_path / "store"), servers.machine(), Console(quiet=True))
    done.go()
    assert list(idle_routes(done.recipe, done.store)) == told
    shown = Console(file=StringIO(), width=200)
    print_funnel(done.store, shown)
    assert ("route none of 12 problems" in shown.file.getvalue()) == bool(told)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param({"labels": "annotator"}, "labels says whose", id="labels of no routes"),
        pytest.param(
            {"labels": "annotator", "where": {"category": ["math"]}}, "put an `annotate` step", id="nobody labels"
        ),
        pytest.param({"where": {}}, "neither a category nor a difficulty", id="a route of nothing"),
        pytest.param({"where": {"categories": ["math"]}}, "did you mean", id="misspelt"),
    ],
)
def test_routes_that_cannot_be_are_refused(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        recipe(tmp_path, {"distill": asking("tiny", **settings)})


def test_order_changes_nothing(store: Store) -> None:
    """Whatever order a shard has its problems in, the same ones are asked."""
    step = distill(where={"category": ["math"]})
    found = [
        run(step, FakeServer(), shard(store, problems=rows), TRACEMILL_SAMPLES=str(n))
        for n, rows in enumerate((PROBLEMS, PROBLEMS[::-1]))
    ]
    ids = [{row["id"] for row in output.tables["generations"].to_pylist()} for output in found]
    assert ids[0] == ids[1]
    assert ids[0]


def test_a_problem_that_was_solved_before_says_so_whatever_its_route(store: Store) -> None:
    inputs = shard(
        store,
        problems=PROBLEMS,
        generations=[generation("g1", "easy")],
        verdicts=[{"generation_id": "g1", "problem_id": "easy", "status": "pass"}],
    )
    output = run(distill(problems="unverified", where={"category": ["code"]}), FakeServer(), inputs)
    assert ledger(output)["easy"] == ("kept", "verified")
    assert ledger(output)["hard"] == ("kept", "routed_away")


def test_a_teacher_that_is_asked_twice_writes_its_responses_once(store: Store) -> None:
    """Trap: two steps of one teacher would give two rows of one id."""
    first = run(distill(), FakeServer(), shard(store, problems=PROBLEMS))
    known = first.tables["generations"].to_pylist()
    server = FakeServer()
    again = run(distill(), server, shard(store, problems=PROBLEMS, generations=known[:3]))
    assert server.requests == []
    assert [row["id"] for row in again.tables["generations"].to_pylist()] == [row["id"] for row in known[3:]]
    assert set(ledger(again).values()) == {("kept", "distilled")}
