"""Asks py3langid which language a text is in: naive Bayes over byte n-grams, a hundred languages, 1 ms a text."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

READ = 1000  # characters; more change nothing and cost time
_FORMULA = re.compile(
    r"\$\$.*?\$\$|\$[^$\n]*\$|\\\(.*?\\\)|\\\[.*?\\\]|\\[A-Za-z]+|```.*?```|`[^`\n]*`|https?://\S+", re.DOTALL
)


def likeliest(text: str) -> tuple[str, float, float]:
    """The likeliest language (ISO 639-1), its probability, and that of English; formulas, code and links left out."""
    plain = " ".join(_FORMULA.sub(" ", text[: 4 * READ]).split())[:READ]
    ranked = dict(_identifier().rank(plain or text[:READ]))
    best = max(ranked, key=ranked.__getitem__)
    return best, ranked[best], ranked.get("en", 0.0)


@functools.cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
