"""Knows the tokens with which models end and begin turns, as text: cut where a response ends, never released inside.

A server that does not skip special tokens leaves them in the text, and a trainer's tokenizer reads them as real ends,
in the middle too. The table is closed: names from the templates of open models. `</s>` and `<eos>` are HTML and prose
too: they are tokens at the end alone.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from tracemill.text.folding import buffers, plain_texts
from tracemill.text.jit import I64, U8, Flags, kernel

# Between `<|` and `|>`: Qwen, Llama, GPT, Phi, GLM, Cohere, InternLM, Falcon, Yi, Hunyuan, Granite, Kimi.
_PIPED = r"""im_\w+ endof\w+ startoftext end_of_\w+ begin_of_sentence begin_of_text start_of_turn start_of_role eot_id
eom_id start_header_id end_header_id python_tag end return call start message channel eos bos pad eot eoa eom eoh sep
user assistant system observation END_\w+ START_\w+ CHATBOT_TOKEN USER_TOKEN SYSTEM_TOKEN hy_\w+ fim_\w+ file_sep"""
# Between `<｜` and `｜>` (U+FF5C), words joined by `▁`: DeepSeek.
_WIDE = r"(?:end|begin)▁of▁sentence User Assistant EOT fim▁\w+ ▁pad▁ tool▁\S{1,20}"
_PLAIN = ("<end_of_turn>", "<start_of_turn>", "<end_of_utterance>", "<im_end>", "[/INST]", "[EOS]")
_AT_THE_END = ("</s>", "<eos>", "<pad>", "<s>", "<bos>", "<unk>", "[PAD]")
_OF_THOUGHT = r"<\|(?:begin|end)_of_(?:thought|solution)\|>"  # these are tags, see think.py

INSIDE = "|".join(
    [
        rf"<\|(?:{'|'.join(_PIPED.split())})\|>",
        rf"<｜(?:{'|'.join(_WIDE.split())})｜>",
        *(re.escape(token) for token in _PLAIN),
    ]
)
_TOKENS_BEHIND = re.compile(rf"(?:(?!{_OF_THOUGHT})(?:{INSIDE}|{'|'.join(map(re.escape, _AT_THE_END))})\s*)+\Z")
_WINDOW = 4096  # characters: what may stand behind an answer


def without_end_tokens(text: str) -> str:
    """The text without the end tokens that it ends in, and without the white space behind them."""
    if not text.rstrip().endswith((">", "]")):
        return text
    found = _TOKENS_BEHIND.search(text, max(0, len(text) - _WINDOW))
    return text[: found.start()] if found else text


def holds_tokens(texts: pa.Array | pa.ChunkedArray) -> Flags:
    """Which texts hold such a token somewhere; null holds none. Only texts with a like bracket meet the pattern."""
    column = plain_texts(texts)
    flags = _like(*buffers(column))
    rows = np.flatnonzero(flags)
    if len(rows):
        marked = re.compile(rf"(?!{_OF_THOUGHT})(?:{INSIDE})")
        flags[rows] = [marked.search(text) is not None for text in column.take(pa.array(rows)).to_pylist()]
    return flags


@kernel
def _like(data: U8, offsets: I64) -> Flags:
    """Which texts have `<|`, `<｜`, `<en`, `<st`, `<im`, `[/I` or `[EO` in them."""
    out = np.zeros(len(offsets) - 1, np.bool_)
    for row in range(len(out)):
        for i in range(offsets[row], offsets[row + 1] - 3):
            first = data[i]
            second = data[i + 1]
            third = data[i + 2]
            if first == 60:
                pipe = second == 124 or (second == 0xEF and third == 0xBD)
                name = (
                    (second == 101 and third == 110)
                    or (second == 115 and third == 116)
                    or (second == 105 and third == 109)
                )
                out[row] = out[row] or pipe or name
            elif first == 91:
                out[row] = out[row] or (second == 47 and third == 73) or (second == 69 and third == 79)
    return out
