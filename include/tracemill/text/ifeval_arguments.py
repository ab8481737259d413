"""Names what each of IFEval's instructions must be told before anybody can say whether it was followed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

ARGUMENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "keywords:existence": ("keywords",),
        "keywords:frequency": ("keyword", "frequency", "relation"),
        "keywords:forbidden_words": ("forbidden_words",),
        "keywords:letter_frequency": ("letter", "let_frequency", "let_relation"),
        "language:response_language": ("language",),
        "length_constraints:number_sentences": ("num_sentences", "relation"),
        "length_constraints:number_paragraphs": ("num_paragraphs",),
        "length_constraints:number_words": ("num_words", "relation"),
        "length_constraints:nth_paragraph_first_word": ("num_paragraphs", "nth_paragraph", "first_word"),
        "detectable_content:number_placeholders": ("num_placeholders",),
        "detectable_content:postscript": ("postscript_marker",),
        "detectable_format:number_bullet_lists": ("num_bullets",),
        "detectable_format:constrained_response": (),
        "detectable_format:number_highlighted_sections": ("num_highlights",),
        "detectable_format:multiple_sections": ("section_spliter", "num_sections"),
        "detectable_format:json_format": (),
        "detectable_format:title": (),
        "combination:two_responses": (),
        "combination:repeat_prompt": ("prompt_to_repeat",),
        "startend:end_checker": ("end_phrase",),
        "startend:quotation": (),
        "change_case:capital_word_frequency": ("capital_frequency", "capital_relation"),
        "change_case:english_capital": (),
        "change_case:english_lowercase": (),
        "punctuation:no_comma": (),
    }
)


def untold(constraints: Mapping[str, Any]) -> str | None:
    """Why nobody can say whether these instructions are followed, in words; None where one can.

    `constraints`: {"instruction_id_list": [...], "kwargs": [{...}, ...]}.
    """
    names = constraints.get("instruction_id_list") or []
    given = constraints.get("kwargs") or [{}] * len(names)
    if not names or len(names) != len(given):
        return f"{len(names)} instructions with {len(given)} sets of arguments"
    for name, arguments in zip(names, given, strict=True):
        if name not in ARGUMENTS:
            return f"there is no instruction {name!r}"
        known = arguments if isinstance(arguments, Mapping) else {}
        lacking = [one for one in ARGUMENTS[name] if known.get(one) in (None, "", [])]
        if lacking:
            return f"the instruction {name} is not told {', '.join(lacking)}"
    return None
