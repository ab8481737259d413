"""A response that thinks in another language than its problem, and what is too short to tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.build.shard import generation, problem, shard
from tracemill.engine.store import Store
from tracemill.report.tongues import astray

ENGLISH = "First we add the two numbers, and then we find that the sum is twelve."
CHINESE = "首先我们把这两个数相加，然后得到它们的和等于十二。"
FRENCH = "D'abord nous additionnons les deux nombres, puis nous trouvons que leur somme vaut douze."


@pytest.mark.parametrize(
    ("asked", "thought", "answer", "expected"),
    [
        pytest.param(ENGLISH, ENGLISH, "12", False, id="the same"),
        pytest.param(ENGLISH, CHINESE, "12", True, id="an English problem in Chinese"),
        pytest.param(CHINESE, ENGLISH, "12", True, id="a Chinese one in English"),
        pytest.param(CHINESE, CHINESE, ENGLISH, False, id="the thought decides"),
        pytest.param(ENGLISH, "", CHINESE, True, id="an answer without a thought"),
        pytest.param(ENGLISH, FRENCH, "12", True, id="a third language"),
        pytest.param(ENGLISH, "$5 + 7 = 12$", "12", None, id="a formula"),
        pytest.param("$5 + 7 = ?$", CHINESE, "12", None, id="a problem without words"),
        pytest.param(ENGLISH, f"{ENGLISH * 40}{CHINESE * 400}", "12", False, id="its beginning decides"),
    ],
)
def test_the_language_of_a_thought(
    tmp_path: Path, asked: str, thought: str, answer: str, expected: bool | None
) -> None:
    store = Store.at(str(tmp_path), create=True)
    rows = [generation("g", "p", answer, think_content=thought)]
    found = astray(shard(store, problems=[problem("p", asked)], generations=rows))
    assert found.rows() == [("g", expected)]


def test_a_shard_without_a_response_has_none(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path), create=True)
    assert astray(shard(store, problems=[problem("p", ENGLISH)], generations=[])).is_empty()
