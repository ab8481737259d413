"""Puts a streamed answer together to the response that the server would have given in one piece.

Server-sent events as OpenAI, vLLM, SGLang, DeepSeek and OpenRouter send them: `data: {...}` lines with deltas, comments
(lines that begin with a colon) to keep the connection, and `data: [DONE]` at the end. A stream that ends without a
finish reason was broken off: then the response carries "abort", which nobody takes for an answer.
"""

from __future__ import annotations

from typing import Any

from tracemill.models.finish import UNKNOWN
from tracemill.models.messages import pieces
from tracemill.models.payload import decoded


class Assembly:
    """A streamed answer while it comes in, one choice."""

    def __init__(self) -> None:
        self._rest = b""
        self._parts: dict[str, list[str]] = {}
        self._finish: str | None = None
        self._usage: dict[str, Any] | None = None
        self._model: str | None = None
        self._error: Any = None
        self._done = False
        self._is_chat = True
        self._tokens: dict[str, list[int]] = {}
        self._logprobs: dict[str, list[Any]] = {}

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; events may be cut anywhere."""
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._line(line.strip())

    def whole(self) -> dict[str, Any]:
        """The whole response as data."""
        self._line(self._rest.strip())
        if self._error is not None:
            return {"error": self._error}
        text = {name: "".join(parts) for name, parts in self._parts.items()}
        reason = self._finish or (UNKNOWN if self._done else "abort")
        said = {"message": {"role": "assistant", **text}} if self._is_chat else {"text": text.get("text", "")}
        likely = {"logprobs": self._logprobs} if self._logprobs else {}
        choice = {**said, **self._tokens, **likely, "finish_reason": reason}
        return {"model": self._model, "choices": [choice], "usage": self._usage}

    def _line(self, line: bytes) -> None:
        if self._done or not line.startswith(b"data:"):
            return
        data = line.removeprefix(b"data:").strip()
        if data == b"[DONE]":
            self._done = True
            return
        try:
            self._event(decoded(data))
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            self._error = {"message": f"an event that is none ({type(error).__name__}): {data[:200]!r}"}

    def _event(self, event: dict[str, Any]) -> None:
        if event.get("error"):
            self._error = event["error"]
            return
        self._model = event.get("model") or self._model
        self._usage = event.get("usage") or self._usage
        self._take_tokens("prompt_token_ids", event)
        for choice in event.get("choices") or ():
            self._take_tokens("prompt_token_ids", choice)
            self._take_tokens("token_ids", choice)
            for name, values in (choice.get("logprobs") or {}).items():
                if isinstance(values, list):
                    self._logprobs.setdefault(name, []).extend(values)
            self._finish = choice.get("finish_reason") or self._finish
            self._is_chat = "text" not in choice
            delta = choice.get("delta") or {}
            if not delta and not self._parts:  # a server that streams whole messages; after deltas it repeats them
                delta = choice.get("message") or {}
            for name, piece in (pieces(delta) if self._is_chat else {"text": choice["text"]}).items():
                self._parts.setdefault(name, []).append(piece)

    def _take_tokens(self, name: str, said: dict[str, Any]) -> None:
        numbers = said.get(name)
        if isinstance(numbers, list):
            self._tokens.setdefault(name, []).extend(numbers)
