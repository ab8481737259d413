"""Makes a student stop where it learned to: the token that ends its turns is the end of its generation, too."""

from __future__ import annotations

from typing import Any


def stop_at(ends: str | None, model: Any, tokenizer: Any) -> None:
    """Name `ends` as the end of what the model generates, first among those that it knows; None changes nothing.

    Base models name another token (Qwen2.5: <|endoftext|>) than the one that ends turns in their chat template. A
    student of theirs learns the latter, and a server that is told of the former would let it write on to the limit.
    """
    if ends is None:
        return
    tokenizer.eos_token = ends
    own = int(tokenizer.eos_token_id)
    known = model.generation_config.eos_token_id
    others = [one for one in (known if isinstance(known, list) else [known]) if one not in (None, own)]
    model.generation_config.eos_token_id = [own, *others] if others else own
    model.config.eos_token_id = own
