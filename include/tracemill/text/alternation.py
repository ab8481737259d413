"""Says whether turns make pairs: a conversation that an answer ends has as many of them from each side."""

from __future__ import annotations

import polars as pl


def uneven(messages: pl.Expr) -> pl.Expr:
    """Whether turns are there and are not user, assistant, user, …, user, each with system turns before it or not.

    With the answer behind them such turns are even in number, as DeepDistill (arXiv 2504.17565, section 2.5) asks, and
    alternate. `messages`: a list of structs with a field `role`; null, which is one prompt alone, is even.
    """
    roles = messages.list.eval(pl.element().struct.field("role")).list.join(",")
    return messages.is_not_null() & ~roles.str.contains(
        r"^(?:(?:system|developer),)*user(?:,assistant,(?:(?:system|developer),)*user)*$"
    )
