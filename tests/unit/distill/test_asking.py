"""A teacher is asked with the system prompt that is part of a problem, however it is asked."""

from __future__ import annotations

from typing import Any

import pytest

from tracemill.distill.chat import ChatTeacher
from tracemill.distill.completion import CompletionTeacher
from tracemill.distill.teacher import Assignment

MODEL: dict[str, Any] = {"name": "tiny", "weights": "org/tiny", "revision": "abc"}
SYSTEM, USER = {"role": "system", "content": "Answer in French."}, {"role": "user", "content": "Good morning."}
POSED = Assignment("p1", "Answer in French.\n\nGood morning.", "math", [SYSTEM, USER])


def test_a_chat_has_the_system_turn_first_and_the_directive_last() -> None:
    teacher = ChatTeacher(model=MODEL, directives={"math": "Think."})
    assert teacher.ask(POSED, 0).body["messages"] == [SYSTEM, {"role": "user", "content": "Good morning.\nThink."}]


def test_a_teachers_own_system_prompt_comes_before_the_problems_in_one_turn() -> None:
    messages = ChatTeacher(model=MODEL, system="Be brief.", directives={}).ask(POSED, 0).body["messages"]
    assert messages == [{"role": "system", "content": "Be brief.\n\nAnswer in French."}, USER]


def test_a_completion_has_its_text() -> None:
    prompt = CompletionTeacher(model=MODEL, template="<U>{prompt}<A>", directives={}).ask(POSED, 0).body["prompt"]
    assert prompt == "<U>Answer in French.\n\nGood morning.<A>"


@pytest.mark.parametrize("kind", [ChatTeacher, CompletionTeacher])
def test_another_system_prompt_is_another_request(kind: type[ChatTeacher] | type[CompletionTeacher]) -> None:
    other = Assignment(
        "p2", "Answer in German.\n\nGood morning.", "math", [{**SYSTEM, "content": "Answer in German."}, USER]
    )
    teacher = kind(model=MODEL)
    assert teacher.ask(POSED, 0).key("x") != teacher.ask(other, 0).key("x")
