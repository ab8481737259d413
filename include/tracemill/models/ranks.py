"""What a model makes of each token of a text that it is shown: its rank among all, and how well they fit a student.

The rank–surprisal ratio of arXiv 2601.14249 is the sum of the ranks of a response's tokens, none counted beyond CLIP,
over the sum of their surprisals (negative natural log-probabilities) under the student: low where a trace is new to the
student (unlikely tokens) and yet near to what it would say (tokens of high rank). Lower fits better.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracemill.models.request import Reply

CLIP = 100  # rank_clip_r of the authors' code (rsr_cal.py)
IMPOSSIBLE = -9999.0  # what vLLM sends for a log-probability of minus infinity
_MOST = np.iinfo(np.uint16).max  # ranks beyond are kept as this one


def with_ranks(reply: Reply, data: Mapping[str, Any], text: str) -> Reply:
    """The reply with the ranks of the prompt's tokens, where the server gave them, and the sum of `text` at its end.

    `values` are then the sum and the number of log-probabilities of the whole prompt, and of the tokens of `text`: none
    where these cannot be told from what came before. A token that begins before the text counts if it reaches into it.
    """
    try:
        tokens = [next(iter(token.values())) for token in data["choices"][0]["prompt_logprobs"] if token]
        ranks = [int(token["rank"]) for token in tokens]
        pieces = [str(token["decoded_token"]) for token in tokens]
        surely = [float(token["logprob"]) for token in tokens]
    except (KeyError, TypeError, AttributeError, ValueError):
        return reply
    count = last_tokens(pieces, text)
    own = surely[len(surely) - count :]
    total = math.fsum(own) if min(own, default=0.0) > IMPOSSIBLE else math.nan
    if min(ranks, default=0) < 1:
        return reply
    kept = np.minimum(np.array(ranks), _MOST).astype("<u2").tobytes()
    return replace(reply, values=(*reply.values[:2], total, float(count)), ranks=kept)


def last_tokens(pieces: Sequence[str], text: str) -> int:
    """How many of the last tokens, by the text that each stands for, hold `text`; 0 when they do not spell it."""
    left = len(text)
    count = 0
    for piece in reversed(pieces):
        if left <= 0 and piece:  # tokens of half a character stand for nothing: the character is the next one's
            break
        left -= len(piece)
        count += 1
    return count if text and "".join(pieces[len(pieces) - count :]).endswith(text) else 0


def ranks_of(reply: Reply) -> NDArray[np.uint16]:
    """The ranks of the prompt's tokens from the second on, 1 for the likeliest; none where the server gave none."""
    return np.frombuffer(reply.ranks or b"", "<u2")


def rank_surprisal_ratio(reply: Reply) -> tuple[float, int] | None:
    """The ratio of a response, and the number of its tokens; None where it cannot be told."""
    found = surprisal(reply)
    if found is None:
        return None
    mean, count = found
    return float(np.minimum(ranks_of(reply)[-count:], CLIP).mean() / mean), count


def surprisal(reply: Reply) -> tuple[float, int] | None:
    """The mean surprisal of a response's tokens in nats, and their number; None where it or a rank is unknown."""
    if len(reply.values) != 4 or reply.ranks is None:
        return None
    total, count = -reply.values[2], int(reply.values[3])
    return (total / count, count) if count > 0 and 0.0 < total < math.inf else None
