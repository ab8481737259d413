"""Makes a text under judgement harmless: it can close no block of the prompt and plays no role of the conversation.

The mark of the fences is 64 bits of the digest of all texts in the prompt: nobody can write it into one of them, since
that would change it, and the same question always has the same mark, so that a paid answer is found again.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping

MARK_BITS = 64
_LINE_BREAKS = re.compile("\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_ROLE = re.compile(  # what chat templates write around a turn; a server reads it as a token also within a message
    r"<(?=[|｜][^<>\n]{1,40}[|｜]>)|<(?=/?(?:s|bos|eos|pad|start_of_turn|end_of_turn|start_of_image)>)|<(?=<\s?/?SYS>>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|THINK)\])"
)
_FENCE_LIKE = re.compile(r"^(?=[ \t]*[=＝]{2,}[ \t]*[0-9a-fA-F]{8})", re.MULTILINE)


def fence_mark(values: Mapping[str, str]) -> str:
    """The mark for a prompt with these texts: 16 hexadecimal digits that stand in none of them."""
    text = json.dumps(dict(sorted(values.items())))
    while True:
        mark = hashlib.sha256(text.encode()).hexdigest()[: MARK_BITS // 4]
        if not any(mark in value for value in values.values()):
            return mark
        text = mark + text


def harmless(text: str) -> str:
    """The text without control and invisible characters, its role tokens and look-alikes of a fence broken by a blank.

    Line breaks of every kind become one, tabs stay. Nothing else changes: what is judged is what was written.
    """
    lines = _LINE_BREAKS.sub("\n", text)
    if not lines.isascii() or not lines.replace("\n", "").replace("\t", "").isprintable():
        lines = "".join(c for c in lines if c in "\n\t" or not unicodedata.category(c).startswith("C"))
    return _FENCE_LIKE.sub("  ", _ROLE.sub(lambda found: found[0] + " ", lines))
