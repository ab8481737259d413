"""Continues an answer that was cut: the server is given the very tokens it had, prompt and begun answer, and goes on.

The prompt is rendered by the server's own chat template (/tokenize), and the begun answer is put behind it as plain
text. Giving it back as an assistant message would not do: the templates of reasoning models delete finished thinking.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

BEGUN = "begun"  # the field of an Ask's body that holds the begun answer
_OPEN = "<think>"
Post = Callable[[str, Mapping[str, Any]], Awaitable[Any]]


async def with_begun_answer(post: Post, body: Mapping[str, Any]) -> dict[str, Any]:
    """A /v1/completions body whose prompt is the rendered chat and then the begun answer, as token numbers."""
    rest = {name: value for name, value in body.items() if name not in ("messages", BEGUN)}
    model, begun = body["model"], str(body[BEGUN])
    chat = {"model": model, "messages": body["messages"], "add_generation_prompt": True}
    prompt = (await post("/tokenize", chat))["tokens"]
    if begun.startswith(_OPEN):
        rendered = (await post("/detokenize", {"model": model, "tokens": prompt}))["prompt"]
        if str(rendered).rstrip().endswith(_OPEN):  # the template has written the opening tag already
            begun = begun.removeprefix(_OPEN)
    text = {"model": model, "prompt": begun, "add_special_tokens": False}
    return {**rest, "prompt": [*prompt, *(await post("/tokenize", text))["tokens"]]}
