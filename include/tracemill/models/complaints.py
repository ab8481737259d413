"""Knows what servers mean when they do not answer: no money, a filter, a prompt that is too long, or a wrong recipe.

The HTTP status alone does not tell: the same empty account comes as 400 (Anthropic), 402 (DeepSeek), 403 (xAI) and
429 (OpenAI), the same content filter as 400 (Azure, DeepSeek) and 403 (OpenRouter). So codes and words decide, in one
table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

Meaning = Literal["no_money", "filtered", "too_many_tokens", "too_long"]
HEAD = 400  # characters of a message that are read: further on servers repeat what they were asked
SMALL_PROMPT = 256  # tokens; an answer's limit that leaves less of the context than this refuses nearly every row

_CODES: dict[Meaning, re.Pattern[str]] = {
    # OpenAI, Moonshot, one-api, Alibaba, Volcengine, Zhipu, SiliconFlow
    "no_money": re.compile(
        r"insufficient_(user_|account_)?(quota|balance|funds|credits?)|billing_\w+|exceeded_current_quota_error"
        r"|arrearage|account_?overdue\w*|credit_balance_too_low|1113|30001",
        re.IGNORECASE,
    ),
    # OpenAI, Azure, Alibaba, Volcengine, Zhipu, one-api, Gemini behind proxies
    "filtered": re.compile(
        r"content_?filter\w*|content_policy_violation|responsibleaipolicyviolation|data_?inspection_?failed"
        r"|moderation_\w+|sensitive_words_detected|\w*sensitivecontentdetected|prohibited_content|1301",
        re.IGNORECASE,
    ),
}
_WORDS: dict[Meaning, re.Pattern[str]] = {
    "no_money": re.compile(
        r"credit balance is too low|insufficient (account |user )?(balance|funds|credits?|quota)"
        r"|balance is (insufficient|not enough)|exceeded your current quota|used all available credits"
        r"|reached (its|your) (monthly |specified )?(spending|API usage) limit"
        r"|out of credits|no credits? (left|remaining)|(requires|need) more credits|key limit exceeded"
        r"|billing hard limit|account is (in arrears|suspended|not active)|余额不足|欠费|额度不足",
        re.IGNORECASE,
    ),
    "filtered": re.compile(
        r"content exists risk|requires moderation|(input|prompt|content|request) (was|has been|is) flagged|flagged as "
        r"|content (management )?policy|content[ _]filter|usage polic|safety system|inappropriate content"
        r"|considered high risk|sensitive (content|words)|blocked by (a|the|our) (content|safety|moderation)"
        r"|敏感|不安全",
        re.IGNORECASE,
    ),
    # What the recipe asks for is more than the model may ever say, whatever the prompt.
    "too_many_tokens": re.compile(
        r"max_tokens=?\s*\d* cannot be greater than max_model_len|supports at most [\d,]+ (completion|output) tokens"
        r"|maximum allowed number of output tokens|valid range of max_\w*tokens"
        r"|max_\w*tokens\W+must be (less than|<=|at most|between)"
        r"|max_\w*tokens\W+(\S+ )?exceeds? (?!context)(the |this |its )?(model|max|limit)",
        re.IGNORECASE,
    ),
    "too_long": re.compile(
        r"context[ _](length|window|size|limit)|maximum model length|max_model_len|too long|longer than"
        r"|exceeds? (the )?(maximum|max|model).{0,30}(input|prompt|context|length)"
        r"|(input|prompt|token count|tokens?) exceeds? (?!your|the rate)|request (entity )?too large"
        r"|max_\w*tokens\W+must be at least 1, got -",
        re.IGNORECASE,
    ),
}
# A limit of so many a minute in the words of an empty account (Gemini): it passes by itself.
_PASSES = re.compile(r"retry in|per[ _]?(minute|day|second)|rate[ _-]?limit|\b[rt]p[md]\b", re.IGNORECASE)
_OF_THE_ANSWER = re.compile(r"max_\w*tokens|completion|output tokens", re.IGNORECASE)
_CONTEXT = re.compile(
    r"\+ *\d+ *(?:>|<=) *(\d+)|must be <= *(\d+)"
    r"|(?:context[ _](?:length|window|size|limit)|max_model_len|model length)(?: \w+){0,3}[ =:]+(\d+)",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"too large: *(\d+)|(\d+)(?: tokens)? (?:in|for) the completion|requested (\d+) (?:output|completion) tokens"
    r"|(\d+) `?max_new_tokens|\d+ *\+ *(\d+) *(?:>|<=)|max_\w*tokens[`'\" ]*[=:(]+ *(\d+)",
    re.IGNORECASE,
)


def message_of(data: Any) -> str:
    """What the server says went wrong: {"error": {"message": ...}}, {"message": ...}, {"detail": ...} or plain text."""
    if isinstance(data, Mapping):
        inner = data.get("error", data)
        if isinstance(inner, Mapping):
            return str(inner.get("message") or inner.get("detail") or dict(inner))
        return str(inner)
    return str(data)[:500]


def meaning_of(data: Any, budget: int | None = None) -> Meaning | None:
    """What an error means, or None where nobody can tell. `budget`: the tokens that were asked for as an answer."""
    said = message_of(data)[:HEAD]
    codes = _codes(data)
    found: Meaning
    for found in ("no_money", "filtered"):
        if any(_CODES[found].fullmatch(code) for code in codes):
            return found
        if _WORDS[found].search(said) and not (found == "no_money" and _passes(said, codes)):
            return found
    if _moderated(data):
        return "filtered"
    if _WORDS["too_many_tokens"].search(said) or _leaves_no_room(said, budget):
        return "too_many_tokens"
    return "too_long" if _WORDS["too_long"].search(said) else None


def _passes(said: str, codes: set[str]) -> bool:
    return bool(_PASSES.search(said)) or "RESOURCE_EXHAUSTED" in codes


def _codes(data: Any) -> set[str]:
    """The codes and types of an error at any of the places where servers put them."""
    found: set[str] = set()
    for _ in range(4):
        if not isinstance(data, Mapping):
            break
        found |= {str(data[name]) for name in ("code", "type", "status") if isinstance(data.get(name), str | int)}
        data = data.get("error") or data.get("innererror")
    return found


def _moderated(data: Any) -> bool:
    """OpenRouter's way: {"error": {"metadata": {"reasons": [...], "flagged_input": ...}}}."""
    inner = data.get("error") if isinstance(data, Mapping) else None
    metadata = inner.get("metadata") if isinstance(inner, Mapping) else None
    return isinstance(metadata, Mapping) and bool(metadata.get("reasons") or metadata.get("flagged_input"))


def _leaves_no_room(said: str, budget: int | None) -> bool:
    """Whether the answer alone was to fill the context, so that no prompt but a tiny one fits beside it."""
    said = re.sub(r"(?<=\d)[,_](?=\d{3})", "", said)
    context = _number(_CONTEXT, said)
    asked = _number(_ASKED, said)
    asked = budget if asked is None else asked
    if context is None or asked is None or not _OF_THE_ANSWER.search(said):
        return False
    return asked >= context - SMALL_PROMPT and context > SMALL_PROMPT


def _number(pattern: re.Pattern[str], said: str) -> int | None:
    found = pattern.search(said)
    return int(next(group for group in found.groups() if group)) if found else None
