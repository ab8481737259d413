"""Tells whether a text is in a given language, by script and the commonest words; says None when it cannot tell.

Covers the languages of IFEval's prompts. It needs no model and no download: a script that one language owns decides by
itself; languages that share a script are told apart by the share of their function words.
"""

from __future__ import annotations

import re
from collections import Counter

_RANGES: dict[str, str] = {
    "latin": r"A-Za-zÀ-ɏḀ-ỿ",
    "cyrillic": r"\u0400-\u04ff",
    "greek": r"\u0370-\u03ff",
    "hebrew": r"\u0590-\u05ff",
    "arabic": r"\u0600-\u06ff\u0750-\u077f",
    "devanagari": r"\u0900-\u097f",
    "bengali": r"\u0980-\u09ff",
    "gurmukhi": r"\u0a00-\u0a7f",
    "gujarati": r"\u0a80-\u0aff",
    "tamil": r"\u0b80-\u0bff",
    "telugu": r"\u0c00-\u0c7f",
    "kannada": r"\u0c80-\u0cff",
    "malayalam": r"\u0d00-\u0d7f",
    "thai": r"\u0e00-\u0e7f",
    "hangul": r"\uac00-\ud7af\u1100-\u11ff",
    "kana": r"\u3040-\u30ff",
    "han": r"\u4e00-\u9fff",
}
_LETTERS = {script: re.compile(f"[{letters}]") for script, letters in _RANGES.items()}
_OWNERS = {
    "greek": "el",
    "hebrew": "he",
    "bengali": "bn",
    "gurmukhi": "pa",
    "gujarati": "gu",
    "tamil": "ta",
    "telugu": "te",
    "kannada": "kn",
    "malayalam": "ml",
    "thai": "th",
    "hangul": "ko",
    "kana": "ja",
    "han": "zh",
}
_WORDS: dict[str, dict[str, frozenset[str]]] = {
    script: {language: frozenset(words.split()) for language, words in languages.items()}
    for script, languages in {
        "latin": {
            "en": "the of and to in is that it for was with as on are this be you your i have not we can will from",
            "de": "der die und das ist nicht ein eine mit den zu von sich auf für dem im ich sie wir auch werden",
            "fr": "le la les et des est un une dans que qui pour pas sur avec ce vous nous du au plus sont",
            "es": "el la los las y de que en es un una por con para no se del al como más su lo",
            "it": "il la di che e è un una per non con del della sono nel gli le anche più si alla",
            "pt": "o a os as de que e é um uma para com não do da em no na se mais você por são ao",
            "nl": "de het een en van is dat niet op te met voor zijn aan er ook maar als ik je wij",
            "sv": "och att det som en är på för av med inte den har till jag ett om var de vi",
            "fi": "ja on ei se että hän joka mutta kun niin ovat tai olen sinä voi minä myös kuin sen tämä",
            "sw": "ya na wa kwa ni katika za la cha kuwa hii hiyo yake kama au lakini sana watu mimi wewe",
            "vi": "và là của có không một cho được trong những người với các này đã để khi bạn tôi như",
            "id": "yang dan di ini itu dengan untuk dari tidak pada adalah dalam akan ke juga saya kami anda",
            "pl": "i w nie na się że jest do to z jak za od po ale dla przez są czy tak",
            "tr": "ve bir bu için ile de da ne çok gibi daha olan olarak değil ben sen ama kadar",
        },
        "cyrillic": {
            "ru": "и в не на что с это как по но из для мы вы он она они был его этот чтобы",
            "bg": "и да на се за от не е са че по като но към ще си това или при съм може",
            "uk": "і в не на що з це як та до але для ми ви він вона вони був його є",
        },
        "arabic": {
            "ar": "في من على إلى أن هذا هذه التي الذي عن مع كان لا ما هو هي أو كل",
            "fa": "و در به از که این را با است برای آن یک خود تا بر هم می های شما من",
            "ur": "کے کی میں ہے اور سے کو کا نے پر یہ ہیں کہ ایک بھی تھا وہ اس لیے ہو",
        },
        "devanagari": {
            "hi": "है के में और की से को का हैं यह पर लिए एक भी नहीं कि इस था वह तो",
            "mr": "आहे आणि ते या हे तर मी आम्ही एक करा आहेत नाही होते हा ही त्या साठी आपण",
            "ne": "छ र को मा हो यो लागि पनि गर्न भने छन् एक तपाईं हामी गर्ने थियो त्यो",
        },
    }.items()
}
_WORD = re.compile(r"[^\W\d_]+(?:[\u0900-\u0dff\u0e00-\u0e7f]+[^\W\d_]*)*")
_DOMINANT = 0.6  # of all letters; a text may quote names in another script
_EVIDENT = 0.05  # of all words must be function words of the language
_CLEAR = 1.3  # times as many as of the next one


def speaks(text: str, language: str) -> bool | None:
    """Whether the text is in that language (ISO 639-1); None for too little text or a language not covered."""
    script = _script(text)
    if script is None:
        return None
    if script in _OWNERS:
        return _OWNERS[script] == language.partition("-")[0]
    if language not in _WORDS[script]:
        return False if any(language in words for words in _WORDS.values()) or language in _OWNERS.values() else None
    found = Counter({name: _share(text, words) for name, words in _WORDS[script].items()})
    (best, share), (_, second) = found.most_common(2)
    return best == language if share >= _EVIDENT and share >= _CLEAR * second else None


def share_of_script(text: str) -> float:
    """The share of the letters that are of the commonest script; 0 without letters. Han and kana are one script."""
    counts = Counter({script: len(pattern.findall(text)) for script, pattern in _LETTERS.items()})
    counts["kana"] += counts.pop("han")
    return counts.most_common(1)[0][1] / max(1, counts.total())


def _script(text: str) -> str | None:
    """The script of most letters; Japanese mixes Han into kana and counts as kana."""
    counts = Counter({script: len(pattern.findall(text)) for script, pattern in _LETTERS.items()})
    if counts["kana"] > 0.1 * counts["han"]:
        counts["kana"] += counts.pop("han")
    script, count = counts.most_common(1)[0]
    return script if count and count >= _DOMINANT * counts.total() else None


def _share(text: str, words: frozenset[str]) -> float:
    found = _WORD.findall(text.lower())
    return sum(word in words for word in found) / max(1, len(found))
