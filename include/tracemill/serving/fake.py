"""A model server without a model: answers like vLLM, deterministically, and fails on command. For tests and dry runs.

Give it to a step as `Resources(transport=FakeServer(...))`; no socket is opened.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

Say = Callable[[str, int], str]
BASE = "http://fake"


def echo(prompt: str, seed: int) -> str:
    """The default answer: a short chain of thought that names the prompt, and an answer that names the seed."""
    return f"<think>\nI was asked: {prompt[:40]}\n</think>\n<answer>\n\\boxed{{{seed % 10}}}\n</answer>"


@dataclass
class FakeServer(httpx.AsyncBaseTransport):
    """Answers every route that tracemill uses. `say(prompt, seed)` is the text of a generation.

    `faults` maps the number of a request (from 1) to what goes wrong instead: an HTTP status, "reset" (the connection
    breaks), "timeout", "garbage" (not JSON), "empty" (JSON without choices). `context` is the longest prompt in words;
    longer ones get vLLM's 400. `reward(prompt, answer)` gives class scores. `models`: names served, or any. With
    `reasoning` set, the chain of thought comes in that field of the message, as from a server with a reasoning parser.
    """

    say: Say = echo
    faults: Mapping[int, int | str] = field(default_factory=dict)
    context: int = 100_000
    reward: Callable[[str, str], list[float]] = lambda _prompt, _answer: [4.0, 4.0, 4.0, 1.0, 1.0]
    logprob: float = -0.5
    models: frozenset[str] | None = None
    reasoning: str | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, or fail as `faults` says for its number."""
        body = json.loads(request.content)
        self.requests.append({"path": request.url.path, **body})
        fault = self.faults.get(len(self.requests))
        if isinstance(fault, int):
            return httpx.Response(fault, json={"error": {"message": f"fault {fault} on command"}})
        if fault == "reset":
            raise httpx.ReadError("the connection broke on command", request=request)
        if fault == "timeout":
            raise httpx.ReadTimeout("out of time on command", request=request)
        if fault == "garbage":
            return httpx.Response(200, text="<html>502 from a proxy</html>")
        if fault == "empty":
            return httpx.Response(200, json={"choices": []})
        return self._answer(request.url.path, body)

    def _answer(self, path: str, body: dict[str, Any]) -> httpx.Response:
        if self.models is not None and body["model"] not in self.models:
            return _error(404, f"The model `{body['model']}` does not exist.")
        prompt = _prompt(body)
        if len(prompt.split()) > self.context:
            return _error(400, f"This model's maximum context length is {self.context} tokens: the prompt is longer.")
        return httpx.Response(200, json=_ROUTES[path](self, prompt, body))

    def chat(self, prompt: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST /v1/chat/completions."""
        text, finish = self._cut(self.say(prompt, body.get("seed", 0)), body)
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if self.reasoning and text.startswith("<think>"):
            thinking, closed, rest = text.removeprefix("<think>").partition("</think>")
            message |= {self.reasoning: thinking, "content": rest if closed else None}
        return {"choices": [{"message": message, "finish_reason": finish}], "usage": _usage(prompt, text)}

    def complete(self, prompt: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST /v1/completions; continues a text from where the whole answer to its prompt was cut."""
        question, _, begun = prompt.partition("\x00")
        whole = self.say(question, body.get("seed", 0))
        text, finish = self._cut(whole[len(begun) :] if whole.startswith(begun) else whole, body)
        choice: dict[str, Any] = {"text": text, "finish_reason": finish}
        if "prompt_logprobs" in body:
            choice["prompt_logprobs"] = [None, *({"7": {"logprob": self.logprob}} for _ in prompt.split()[1:])]
        return {"choices": [choice], "usage": _usage(prompt, text)}

    def classify(self, prompt: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST /classify."""
        answer = body["messages"][-1]["content"]
        scores = self.reward(body["messages"][0]["content"], answer)
        return {"data": [{"probs": scores}], "usage": _usage(prompt, "")}

    def tokenize(self, prompt: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST /tokenize: a token a character; a rendered chat ends with a NUL, where a begun answer continues."""
        return {"tokens": [ord(c) for c in (prompt + "\x00" if "messages" in body else prompt)]}

    def detokenize(self, _prompt: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST /detokenize."""
        return {"prompt": "".join(map(chr, body["tokens"]))}

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
    "/tokenize": FakeServer.tokenize,
    "/detokenize": FakeServer.detokenize,
}


def _prompt(body: dict[str, Any]) -> str:
    if "messages" in body:
        return "\n".join(message["content"] for message in body["messages"])
    prompt = body.get("prompt", "")
    return prompt if isinstance(prompt, str) else "".join(map(chr, prompt))


def _usage(prompt: str, text: str) -> dict[str, int]:
    return {"prompt_tokens": len(prompt.split()), "completion_tokens": len(text.split())}


def _error(status: int, message: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": message, "code": status}})
