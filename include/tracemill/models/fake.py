"""A model server without a model: answers like vLLM, deterministically, and fails on command. For tests and dry runs.

Give it to a step as `Resources(transport=FakeServer(...))`; no socket is opened.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tracemill.models.streaming import Assembly
from tracemill.models.transport import Response
from tracemill.models.wire import ServerFault

Say = Callable[[str, int], str]
BASE = "http://fake"
_TOKEN = re.compile(r"\s*\S+(?:\s+\Z)?")  # a word with the blank space before it, and at the end what comes after


def echo(prompt: str, seed: int) -> str:
    """The default answer: a short chain of thought that names the prompt, and an answer that names the seed."""
    return f"<think>\nI was asked: {prompt[:40]}\n</think>\n<answer>\n\\boxed{{{seed % 10}}}\n</answer>"


@dataclass
class FakeServer:
    """Answers every route that tracemill uses. `say(prompt, seed)` is the text of a generation.

    `faults` maps the number of a request (from 1) to what goes wrong instead: an HTTP status, "reset" (the connection
    breaks), "garbage" (not JSON), "empty" (JSON without choices), "half" (half of the text, then the end, without a
    finish reason or a count), or a dict that replaces fields of the choice. `poison` is a word: a prompt that holds it
    gets HTTP 500 each time. `wait` is the Retry-After of an HTTP status. `context` is the longest prompt in words;
    longer ones get vLLM's 400. `reward(prompt, answer)` gives class scores. `models`: names served, or any; `owner`:
    who lists them (vLLM says "vllm"), or nobody does. With `reasoning` set, the chain of thought comes in that field of
    the message, as from a server with a reasoning parser. Without `numbers` it knows no `return_token_ids` and no
    log-probabilities of an answer. With `shapes` it keeps to a JSON schema, with the last value allowed. Each word of a
    prompt is a token of the log-probability `logprob` and the rank `rank(word)`, if ranks are known. `seconds(prompt,
    seed)` is how long a generation takes; one whose client leaves before is counted in `closed`.
    """

    say: Say = echo
    faults: Mapping[int, int | str | dict[str, Any]] = field(default_factory=dict)
    context: int = 100_000
    reward: Callable[[str, str], list[float]] = lambda _prompt, _answer: [4.0, 4.0, 4.0, 1.0, 1.0]
    logprob: float = -0.5
    rank: Callable[[str], int] | None = lambda _word: 1
    models: frozenset[str] | None = None
    owner: str | None = None
    reasoning: str | None = None
    poison: str | None = None
    numbers: bool = True
    shapes: bool = False
    wait: float | None = None
    seconds: Callable[[str, int], float] | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)
    closed: int = 0

    @property
    def generated(self) -> list[dict[str, Any]]:
        """The requests for answers, without those that only look at a prompt."""
        return [request for request in self.requests if "tokenize" not in request["path"]]

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], heard: Callable[[], None]) -> Response:
        """Answer one request, or fail as `faults` says for its number."""
        asked = json.loads(body)
        path = urlsplit(url).path
        self.requests.append({"path": path, **asked})
        fault = self.faults.get(len(self.requests))
        if isinstance(fault, int):
            said = {"error": {"message": f"fault {fault} on command"}}
            return Response(fault, {} if self.wait is None else {"retry-after": str(self.wait)}, said)
        if fault == "reset":
            raise ServerFault("the connection broke on command")
        if fault == "garbage":
            return Response(200, {}, "<html>502 from a proxy</html>")
        if fault == "empty":
            return Response(200, {}, {"choices": []})
        await self._generate(asked)
        answer = self._answer(path, asked)
        if isinstance(fault, dict):
            answer.data["choices"][0].update(fault)
        if fault == "half":
            _halve(answer.data)
        if not asked.get("stream") or answer.status != 200:
            return answer
        heard()
        return Response(200, answer.headers, _streamed(answer.data))

    async def get(self, url: str, headers: Mapping[str, str]) -> Response:
        """The list of models, where there is one."""
        if self.owner is None or not url.endswith("/models"):
            return _error(404, "Not Found")
        return Response(200, {}, {"data": [{"id": name, "owned_by": self.owner} for name in self.models or ("any",)]})

    async def _generate(self, asked: dict[str, Any]) -> None:
        if self.seconds is None or "seed" not in asked:
            return
        try:
            await asyncio.sleep(self.seconds(_prompt(asked), asked["seed"]))
        except asyncio.CancelledError:
            self.closed += 1
            raise

    def _answer(self, path: str, body: dict[str, Any]) -> Response:
        if self.models is not None and body["model"] not in self.models:
            return _error(404, f"The model `{body['model']}` does not exist.")
        prompt = _prompt(body)
        if len(prompt.split()) > self.context:
            return _error(400, f"This model's maximum context length is {self.context} tokens: the prompt is longer.")
        if self.poison is not None and self.poison in prompt:
            return _error(500, "Internal Server Error")
        return Response(200, {}, {"model": body["model"], **_ROUTES[path](self, prompt, body)})

    def chat(self, prompt: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST /v1/chat/completions."""
        shape = body.get("response_format") if self.shapes else None
        said = self.say(prompt, body.get("seed", 0)) if shape is None else _shaped(shape["json_schema"]["schema"])
        text, finish = self._cut(said, body)
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if self.reasoning and text.startswith("<think>"):
            thinking, closed, rest = text.removeprefix("<think>").partition("</think>")
            message |= {self.reasoning: thinking, "content": rest if closed else None}
        choice = {"message": message, "finish_reason": finish, **self._numbered(text, body)}
        return {"choices": [choice], "usage": self._used(prompt, text, body), **self._of_prompt(prompt, body)}

    def complete(self, prompt: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST /v1/completions; continues a text from where the whole answer to its prompt was cut."""
        question, _, begun = prompt.partition("\x00")
        whole = self.say(question, body.get("seed", 0))
        text, finish = self._cut(whole[len(begun) :] if whole.startswith(begun) else whole, body)
        choice: dict[str, Any] = {"text": text, "finish_reason": finish, **self._numbered(text, body)}
        choice |= self._of_prompt(prompt, body)
        if "prompt_logprobs" in body:
            choice["prompt_logprobs"] = [None, *map(self._scored, _TOKEN.findall(prompt)[1:])]
        return {"choices": [choice], "usage": self._used(prompt, text, body)}

    def _scored(self, token: str) -> dict[str, Any]:
        ranked = {"rank": self.rank(token.strip())} if self.rank else {}
        return {"7": {"logprob": self.logprob, **ranked, "decoded_token": token}}

    def classify(self, prompt: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST /classify."""
        answer = body["messages"][-1]["content"]
        scores = self.reward(body["messages"][0]["content"], answer)
        return {"data": [{"probs": scores}], "usage": _usage(prompt, "")}

    def embed(self, prompt: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST /v1/embeddings: how often each letter occurs, last text first, as no server promises their order."""
        rows = [
            {"index": place, "embedding": [float(text.lower().count(letter)) for letter in "abcdefghijklmnop"]}
            for place, text in enumerate(body["input"])
        ]
        return {"data": rows[::-1], "usage": _usage(prompt, "")}

    def tokenize(self, prompt: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST /tokenize: a token a character; a rendered chat ends with a NUL, where a begun answer continues."""
        tokens = [ord(c) for c in (prompt + "\x00" if "messages" in body else prompt)]
        return {"tokens": tokens, "count": len(tokens), "max_model_len": 100_000}

    def detokenize(self, _prompt: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST /detokenize."""
        return {"prompt": "".join(map(chr, body["tokens"]))}

    def _numbered(self, text: str, body: dict[str, Any]) -> dict[str, Any]:
        if not (self.numbers and body.get("return_token_ids")):
            return {}
        numbers = [ord(c) for c in text]
        return {"token_ids": numbers, **({"logprobs": likely(numbers, body)} if body.get("logprobs") else {})}

    def _used(self, prompt: str, text: str, body: dict[str, Any]) -> dict[str, int]:
        """The tokens of both: words, but in an answer with log-probabilities, which has one for each character."""
        used = _usage(prompt, text)
        return {**used, "completion_tokens": len(text)} if self.numbers and body.get("logprobs") else used

    def _of_prompt(self, prompt: str, body: dict[str, Any]) -> dict[str, Any]:
        wanted = self.numbers and body.get("return_token_ids")
        return {"prompt_token_ids": [ord(c) for c in prompt + "\x00"]} if wanted else {}

    @staticmethod
    def _cut(text: str, body: dict[str, Any]) -> tuple[str, str]:
        """Cut the text to max_tokens words, as a model with that budget would end."""
        words = text.split(" ")
        budget = body.get("max_tokens") or len(words)
        return (text, "stop") if len(words) <= budget else (" ".join(words[:budget]), "length")


_ROUTES: dict[str, Callable[[FakeServer, str, dict[str, Any]], dict[str, Any]]] = {
    "/v1/chat/completions": FakeServer.chat,
    "/v1/completions": FakeServer.complete,
    "/classify": FakeServer.classify,
    "/v1/embeddings": FakeServer.embed,
    "/tokenize": FakeServer.tokenize,
    "/detokenize": FakeServer.detokenize,
}


def likely(numbers: list[int], body: dict[str, Any]) -> dict[str, Any]:
    """The log-probabilities of these tokens in vLLM's form: the chosen token first, then as many of the likeliest as
    there is room for. An odd number is never among the likeliest, an even one is the first of them.
    """
    most = body.get("top_logprobs") or body["logprobs"]
    tokens = []
    for number in numbers:
        first = number + number % 2
        best = {first + 2 * place: -0.1 - place for place in range(most)}
        known = {number: best.get(number, -9.5), **best}
        tokens.append([(f"token_id:{one}", value) for one, value in known.items()])
    if "top_logprobs" in body:
        rows = [[{"token": name, "logprob": value} for name, value in one[:most]] for one in tokens]
        return {"content": [{**row[0], "top_logprobs": row} for row in rows]}
    return {
        "tokens": [one[0][0] for one in tokens],
        "token_logprobs": [one[0][1] for one in tokens],
        "top_logprobs": [dict(one[: most + 1]) for one in tokens],
    }


def _prompt(body: dict[str, Any]) -> str:
    if "messages" in body:
        return "\n".join(message["content"] for message in body["messages"])
    prompt = body.get("prompt", "")
    return prompt if isinstance(prompt, str) else "".join(map(chr, prompt))


def _shaped(schema: dict[str, Any]) -> str:
    fields = schema["properties"].items()
    return json.dumps({name: kind["enum"][-1] if "enum" in kind else 4.5 for name, kind in fields})


def _halve(data: dict[str, Any]) -> None:
    choice = data["choices"][0]
    said = choice.get("message", choice)
    for name in {"content", "text"} & said.keys():
        said[name] = said[name][: len(said[name]) // 2]
    choice["finish_reason"] = data["usage"] = None


def _usage(prompt: str, text: str) -> dict[str, int]:
    return {"prompt_tokens": len(prompt.split()), "completion_tokens": len(text.split())}


def _error(status: int, message: str) -> Response:
    return Response(status, {}, {"error": {"message": message, "code": status}})


def events(data: dict[str, Any], size: int) -> Iterator[str]:
    """The answer as the data of server-sent events with `size` characters each."""
    choice = data["choices"][0]
    chat = "message" in choice
    if "token_ids" in choice:
        prompt = data.get("prompt_token_ids") or choice["prompt_token_ids"]
        yield json.dumps({"choices": [{"delta": {}} if chat else {"text": ""}], "prompt_token_ids": prompt})
    fields: dict[str, str | None] = choice["message"] if chat else {"text": choice["text"]}
    for name, text in fields.items():
        said = "" if name == "role" else text or ""
        for start in range(0, len(said), size):
            piece = {name: said[start : start + size]}
            yield json.dumps({"choices": [{"delta": piece} if chat else piece]})
    last: dict[str, Any] = {"delta": {}} if chat else {"text": ""}
    known = choice.get("logprobs") or {}
    for place, number in enumerate(choice.get("token_ids", ())):
        likely_there = {"logprobs": {name: [values[place]] for name, values in known.items()}} if known else {}
        yield json.dumps({"choices": [{**last, "token_ids": [number], **likely_there}]})
    yield json.dumps({"model": data.get("model"), "choices": [{**last, "finish_reason": choice["finish_reason"]}]})
    yield json.dumps({"choices": [], "usage": data.get("usage")})
    yield "[DONE]"


def _streamed(data: dict[str, Any]) -> dict[str, Any]:
    """The answer as it comes in when it is sent in events of a few characters, cut anywhere."""
    sent = ": keep-alive\n\n" + "".join(f"data: {event}\n\n" for event in events(data, size=7))
    assembly = Assembly()
    for start in range(0, len(sent.encode()), 11):
        assembly.feed(sent.encode()[start : start + 11])
    return assembly.whole()
