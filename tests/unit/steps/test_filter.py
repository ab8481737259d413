"""Query filters over a shard: one reason each, and the rest of the pipeline sees what is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.build.trial import Trial

QUERIES = {
    "What is $2+2$?": ("kept", None),
    "果园里有三行苹果树，一共有多少棵树？": ("kept", None),
    "Hello": ("rejected", "empty"),
    "Solve the following equation:": ("rejected", "incomplete"),
    "Сколько яблок осталось в корзине?": ("rejected", "unicode"),
    "Summarise https://example.com/page please.": ("rejected", "url"),
    "Which is larger?\n| a | b |\n|---|---|\n| 1 | 2 |": ("rejected", "table"),
}


def run(folder: Path, queries: list[str], **settings: Any) -> dict[str, tuple[str, str | None]]:
    """What the filter says of each query."""
    folder.mkdir(exist_ok=True)
    steps = {"filter": {"kind": "filter", **settings}}
    return Trial(folder, {"s": [{"q": query} for query in queries]}, steps).run().endings("filter")


def test_each_query_has_one_reason(tmp_path: Path) -> None:
    assert run(tmp_path, list(QUERIES)) == QUERIES


@pytest.mark.parametrize(
    ("settings", "query"),
    [
        pytest.param({"min_words": 1}, "Hello", id="min_words"),
        pytest.param({"incomplete": False}, "Solve the following equation:", id="incomplete"),
        pytest.param({"unusual": None}, "Сколько яблок осталось в корзине?", id="unicode off"),
        pytest.param({"scripts": ["Latin", "Cyrillic"]}, "Сколько яблок осталось в корзине?", id="scripts"),
        pytest.param({"url": None}, "Summarise https://example.com/page please.", id="url off"),
        pytest.param({"url": False}, "Summarise https://example.com/page please.", id="url"),
        pytest.param({"table": False}, "Which is larger?\n| a | b |\n|---|---|\n| 1 | 2 |", id="table"),
    ],
)
def test_a_rule_can_be_turned_off(tmp_path: Path, settings: dict[str, Any], query: str) -> None:
    assert run(tmp_path, [query], **settings) == {query: ("kept", None)}


def test_the_share_that_decided_is_in_the_ledger(tmp_path: Path) -> None:
    rows = [{"q": "Сколько будет два плюс два?"}, {"q": "What is it?"}]
    trial = Trial(tmp_path, {"s": rows}, {"filter": {"kind": "filter"}}).run()
    first, second = trial.rows("filter", "ledger")
    assert (first["score"] > 0.9, first["threshold"]) == (True, 0.2)
    assert (second["score"], second["threshold"]) == (None, None)


@pytest.mark.parametrize(
    ("roles", "ending"),
    [
        pytest.param("user", ("kept", None), id="one turn"),
        pytest.param("user assistant user", ("kept", None), id="three turns"),
        pytest.param("user user", ("rejected", "turns"), id="two questions in a row"),
        pytest.param("system user", ("kept", None), id="a system turn"),
        pytest.param("system user assistant user", ("kept", None), id="a system turn before several"),
        pytest.param("user assistant system user", ("kept", None), id="a system turn between"),
    ],
)
def test_turns_must_alternate(tmp_path: Path, roles: str, ending: tuple[str, str | None]) -> None:
    turns = [{"role": role, "content": f"Tell me about number {i}."} for i, role in enumerate(roles.split())]
    columns = {"messages": "m", "prompt": "q"}
    trial = Trial(tmp_path, {"s": [{"q": "Numbers, please.", "m": turns}]}, {"filter": {"kind": "filter"}}, **columns)
    assert list(trial.run().endings("filter").values()) == [ending]


@pytest.mark.parametrize("url", ["any", True])
def test_the_paper_removes_every_link(tmp_path: Path, url: object) -> None:
    text = "Prove that the sum of two even numbers is even, and say where you used " + "that " * 20
    text += "[evenness](https://example.com/even)"
    assert run(tmp_path, [text])[text] == ("kept", None)
    assert run(tmp_path / "any", [text], url=url)[text] == ("rejected", "url")
