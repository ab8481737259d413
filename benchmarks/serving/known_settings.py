"""The cases of public reports that need no server: what is sent, what is refused, and what the user is told."""

from __future__ import annotations

import json
import socket
import tempfile
import threading
import time
from collections.abc import Callable

from pydantic import ValidationError

from benchmarks.serving import mishaps
from tracemill.distill.chat import ChatTeacher
from tracemill.distill.completion import CompletionTeacher
from tracemill.distill.teacher import Assignment
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import RecipeError, ServingError
from tracemill.judge.perplexity import perplexity
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.models.model import Model, Serve
from tracemill.models.rendering import check
from tracemill.models.request import Refusal, Reply
from tracemill.models.server.command import free_port
from tracemill.models.server.failures import explained
from tracemill.models.server.metrics import parse_metrics
from tracemill.models.session import Feed
from tracemill.models.transport import _kept_alive
from tracemill.text.think import split

Check = Callable[[str], bool]
CHECKS: dict[str, Check] = {}
MODEL = {"name": "m", "weights": "org/m", "revision": "1"}
ONE = Assignment("p", "two and two", None, None)


def case(*numbers: str) -> Callable[[Check], Check]:
    """This check stands for these cases; it is given the case's input."""

    def noted(check: Check) -> Check:
        CHECKS.update({f"serving-{number}": check for number in numbers})
        return check

    return noted


def raises(kind: type[Exception], act: Callable[[], object]) -> bool:
    """Whether it does."""
    try:
        act()
    except kind:
        return True
    return False


@case("0015")
def no_opening_tag(_given: str) -> bool:
    parts = split("two and two</think>It is 4.")
    return (parts.think, parts.answer) == ("two and two", "It is 4.")


@case("0017")
def prefix_and_parser(_given: str) -> bool:
    teacher = ChatTeacher.model_validate({"model": MODEL, "prefix": "<think>\n"})
    return (
        teacher.whole("<think>a</think>b") == "<think>a</think>b"
        and teacher.whole("a</think>b") == "<think>\na</think>b"
    )


@case("0018")
def cut_judge(given: str) -> bool:
    from tracemill.judge.reading import said_by

    return said_by(Reply(given.removesuffix(" [finish_reason length]"), "length")) is None


@case("0019")
def no_number(_given: str) -> bool:
    bad = [Reply("", "stop", values=(value, 3.0)) for value in (float("nan"), float("-inf"), -9999e300)]
    return all(perplexity(one) is None for one in bad) and perplexity(Reply("", "stop", values=(-3.0, 3.0))) is not None


@case("0025", "0027", "0028", "0029", "0030")
def text_changing_flag(given: str) -> bool:
    flags = given.removeprefix("serve.flags: ").split(" ")
    return raises(ValidationError, lambda: Serve.model_validate({"flags": flags}))


@case("0031")
def keep_alive(_given: str) -> bool:
    made = _kept_alive((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 0)))
    with made:
        idle = made.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        return made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1 and idle <= 60


@case("0032")
def loops(_given: str) -> bool:
    teacher = ChatTeacher.model_validate({"model": MODEL, "continue_to": 65_536})
    request = teacher.ask(ONE, 0)
    return teacher.go_on(request, Reply("so so", "repetition", 1, 32_768, token_ids=b"")) is None


@case("0038")
def closed_thought(_given: str) -> bool:
    check("m", "<｜Assistant｜><think>\n")
    return raises(RecipeError, lambda: check("m", "<｜Assistant｜></think><think>\n"))


@case("0039")
def fields(_given: str) -> bool:
    settable = {
        "chat_template_kwargs": {"thinking": True},
        "reasoning_effort": "high",
        "stop": ["x"],
        "presence_penalty": 1,
    }
    plain = ChatTeacher.model_validate({"model": MODEL}).ask(ONE, 0)
    told = [ChatTeacher.model_validate({"model": MODEL, "sampling": {k: v}}).ask(ONE, 0) for k, v in settable.items()]
    return all(k in ask.body and ask.key("w") != plain.key("w") for k, ask in zip(settable, told, strict=True))


@case("0040", "0041", "0042", "0043", "0044", "0047", "0049")
def told_to_the_user(given: str) -> bool:
    return type(explained(Model.model_validate(MODEL), given, "ended")) is RecipeError


@case("0048", "0050")
def tried_again(given: str) -> bool:
    error = explained(Model.model_validate(MODEL), given, "ended")
    return type(error) is ServingError and len(str(error)) > len(given) + 60


@case("0051")
def engines(_given: str) -> bool:
    page = "".join(f'vllm:kv_cache_usage_perc{{engine="{n}"}} 0.9\n' for n in range(8))
    return abs(parse_metrics(page).kv_cache - 0.9) < 1e-9


@case("0052")
def loaded_once(_given: str) -> bool:
    from tracemill.judge.rewards import local

    began: list[int] = []

    class Slow:
        """Stands where the model is: counts how often it is loaded."""

        def __init__(self, *_: object) -> None:
            began.append(1)
            time.sleep(0.05)

    real, local._Probe = local._Probe, Slow  # type: ignore[misc, assignment]
    try:
        threads = [threading.Thread(target=local._probe, args=("nowhere", None)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        local._Probe = real  # type: ignore[misc]
        local._loaded.cache_clear()
    return len(began) == 1


@case("0053")
def known_weights(_given: str) -> bool:
    return mishaps.identity()["identity_s"] < 1


@case("0057", "0067")
def nobody_decided(_given: str) -> bool:
    teacher = CompletionTeacher.model_validate({"model": MODEL, "sampling": {"max_tokens": None}})
    fake = FakeServer()
    with tempfile.TemporaryDirectory() as folder:
        named = json.dumps({"m": [{"url": "http://fake", "model": "m"}]})
        machine = Resources(workers=1, environment={ENDPOINTS: named}, transport=fake)
        Feed(teacher.model, Store.at(folder, create=True), machine, "near").answers([teacher.ask(ONE, 0)])
    sent = fake.requests[-1]
    return sent["max_tokens"] > 16 and sent["add_special_tokens"] is False


@case("0061")
def wrong_place(_given: str) -> bool:
    model = Model.model_validate({"name": "m", "weights": "/nowhere/at/all"})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        return (
            raises(RecipeError, lambda: model.location(Resources()))
            and raises(ServingError, lambda: free_port("127.0.0.1", port))
            and isinstance(explained(model, "error: unrecognized arguments: --no-such-flag", "ended"), RecipeError)
        )


@case("0068")
def one_system_turn(_given: str) -> bool:
    teacher = ChatTeacher.model_validate({"model": MODEL, "system": "Think."})
    turns = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "?"}]
    said = teacher.ask(Assignment("p", "?", None, turns), 0).body["messages"]
    return [turn["role"] for turn in said] == ["system", "user"] and "Think." in said[0]["content"]


@case("0070")
def not_continued(_given: str) -> bool:
    teacher = ChatTeacher.model_validate({"model": MODEL, "continue_to": 100, "sampling": {"max_tokens": 2}})
    more = teacher.go_on(teacher.ask(ONE, 0), Reply("a b", "length", 1, 2))
    with tempfile.TemporaryDirectory() as folder:
        feed = Feed(teacher.model, Store.at(folder, create=True), Resources(workers=1, environment={}), "near")
        (found,) = feed.answers([more]) if more else (None,)
    return isinstance(found, Refusal) and found.reason == "refused"
