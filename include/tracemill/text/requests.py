"""Reads what a mathematical problem asks for: a proof, several things, something in a picture, or one thing alone.

AM-Thinking-v1 (arXiv 2505.08311, section 2) drops proofs, several sub-questions and questions about an image, and has
choices rewritten as fill-in; it names no rules. Ours look for a request, not a word: "waterproof", "the data show
that" and a condition (i) ask for nothing. Where a rule cannot tell, the problem is left as it is; choices are opened
only where their question is one without them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tracemill.text.choices import open_form, parted

# Without any of these no rule can hit, and the regular expressions below need not be tried; in RE2's language.
TRIGGERS = (
    r"(?i)prove|show|!\[|justify|demonstrate|proof|证|image|img|figure|diagram|picture|illustrat|drawing|sketch|drawn|depicted"
    r"|includegraphics|fig|图|[?？](?s:.*)[?？]|[(（]\s*(?:a|1|i)\s*[)）]|(?m:^\s*(?:a|1)[.)])|(?:^|\s)B[.)、:．]|b\)"
)
_BEGINS = r"(?:\A|[.!?;:,。；：！？]\s*|\n\s*|\b(?:and|then|please|also|hence|thus|therefore)[,]?\s+|(?<=[.)])\s+)"
_PROOF = re.compile(
    _BEGINS + r"(?:(?:prove|disprove)\b(?!\s+(?:to\s+be|useful))|(?:show|demonstrate|justify)\s+(?:that|why)\b"
    r"(?!\s+(?:night|day|evening|week|month|year)\b)|give\s+an?\s+(?:\w+\s+)?proof\b)"
    r"|\b(?:can|could)\s+you\s+prove\b|\b(?:asked|required)\s+to\s+prove\b"
    r"|(?:\A|[。；：，,;:\n）)]\s*)(?:求证|试证|证明|并证明)(?!书|了|材料|过)",
    re.IGNORECASE,
)
# What was found out shows something, too: "The results were tabulated and show that 40 % own a car."
_FINDINGS = re.compile(
    r"\b(?:data|results?|records?|surveys?|stud(?:y|ies)|polls?|tests?|statistics|reports?|charts?|measurements|observations"
    r"|experiments?)\s+(?:\w+\s+){0,2}(?:was|were|has\s+been|have\s+been)\b[^.!?\n]{0,60}\b(?:show|demonstrate)s?\s+that\b",
    re.IGNORECASE,
)
_PICTURE = re.compile(
    r"!\[[^\]\n]*\]\(|<img\s|\\includegraphics|\bsee\s+fig(?:ure|\.)?\s*\d"
    r"|\b(?:figure|diagram|illustration|sketch)\s+(?:below|above)\b"
    r"|\b(?:figures|diagrams|pictures?|images?|illustrations|drawings?)\s+(?:below|above)\b(?!\s+(?:the|an?|his|her|their|its|\d))"
    r"|\b(?:figures?|diagrams?|pictures?|images?|illustrations?|drawings?|sketch)\s+(?:at\s+(?:the\s+)?right"
    r"|shown\b(?!\s+(?:by|to|at\s+an?|on\s+(?!the\s+(?:right|left|next|following|page)))\b))"
    r"|\b(?:graphs?|figures?|diagrams?|pictures?)\s+(?:of\s+[^.?!\n]{1,40}\s)?(?:is|are)\s+shown\b(?!\s+(?:to|that|by)\b)"
    r"|\b(?:shown|pictured|illustrated|depicted|drawn)\s+(?:in|on)\s+the\s+"
    r"(?:\w+\s+)?(?:figure|diagram|picture|image|illustration|drawing|graph|grid)\b"
    r"|\b(?:in|from|to|see|consider)\s+the\s+(?:accompanying\s+|following\s+|given\s+|adjoining\s+)?"
    r"(?:figure|diagram|picture|illustration)\b(?!\s+(?:formed|obtained|bounded|made\s+(?:of|by|up)|of\s+\d+|frames?|books?)\b)"
    r"|如图|下图|上图|右图|左图|图中|图所示|图示",
    re.IGNORECASE,
)
_SHOWN = re.compile(
    r"\b(?:shown|pictured|illustrated|depicted|drawn)\s+(?:below|above)(?=\s*(?:[.,;:)]|\Z|\b(?:is|are|has|have|with)\b))",
    re.IGNORECASE,
)
_LAID_OUT = re.compile(
    r"\\begin\{(?:array|tabular|[pbvBV]?matrix)\}|^\s*\|.*\|\s*$", re.MULTILINE
)  # what is shown, as text
_DRAWN = re.compile(r"\[asy\]|\\begin\{(?:asy|tikzpicture|picture)\}|\\draw\b|```")  # the picture is there, as text
_LABELS = tuple(
    (re.compile(form, re.MULTILINE), marks)
    for form, marks in (
        (r"(?:(?<=\s)|^)[(（]([a-h])[)）]", "abcdefgh"),
        (r"(?:(?<=[\s。；;])|^)[(（]([1-8])[)）]", "12345678"),
        (r"(?:(?<=\s)|^)[(（](i{1,3}|iv|vi{0,3})[)）]", "i ii iii iv v vi vii viii"),
        (r"^\s*([a-h])[.)]\s", "abcdefgh"),
        (r"^\s*([1-8])[.)]\s", "12345678"),
    )
)
_ASKS = re.compile(
    r"[?？]|\b(?:find|determine|calculate|compute|evaluate|what|how\s+(?:many|much|long|far|old)|prove|show\s+that|"
    r"simplify|factori[sz]e|write\s+down)\b|求|计算|证明|写出|多少|什么"
    # words that tell, too, of what players and trains do: only where they begin a sentence or a part of one
    r"|(?:\A|[.,:;$。，；：]|\b(?:and|then|hence|also|please|or))\s*(?:solve|sketch|draw|state|explain|estimate|express)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“][^\"”\n]*[\"”]|``[^'\n]*''")
_SENTENCES = re.compile(r"[.!。！\n]|(?<=[?？])")  # where they end: looking for a question in each would take for ever
_POLITE = re.compile(
    r"\b(?:can|could|will|would)\s+(?:you|anyone|someone|somebody)\s+(?:please\s+)?(?:help|solve\s+this|explain\s+this)\b"
    r"|\b(?:did|do)\s+you\s+know\b|\b(?:have\s+)?you\s+ever\b",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"\b(?:what|which|how|who|when|where|is|are|does|do|can|could|will|would)\b|[求吗呢几何么少]", re.IGNORECASE
)
# A question whose choices tell which of its several answers is meant: any divisor, any number above three, either root.
_ANY = re.compile(
    r"\b(?:what\s+(?:is|are)|find|give|determine|name)\s+(?:an?|one|some|another)\s+"
    r"(?!(?:if|when|and|such|so|given|for|in|where|from|to|total|hundred|dozen|half|third|quarter|fourth|fifth|tenth)\b)[a-z]"
    r"|\A\s*(?:an?|one)\s+[^.?!]*\b(?:is|are|equals?)\s*[:：]?\s*\Z"
    r"|\b(?:divisible\s+by|a\s+(?:multiple|factor|divisor)\s+of|divides|passes\s+through(?:\s+the\s+point)?)\s*[:：]?\s*\Z"
    r"|的(?:倍数|因数|约数)\s*[是为]?\s*\Z|能被[^。？?]{0,8}整除\s*\Z",
    re.IGNORECASE,
)
_COUNTS = re.compile(
    r"\bhow\s+(?:many|much|long|far|old)\b|\b(?:number|sum|product|probability)\s+of\b|多少|几个", re.IGNORECASE
)
_UNEQUAL = re.compile(r"[<>≤≥≠]|\\(?:[lg]e(?:q|qslant)?|[lg]t|neq?)\b")
_LETTER_SOUGHT = re.compile(
    r"\b(?:what\s+is|find|determine|solve\s+for|values?\s+of|equals?)\s+(?:the\s+values?\s+of\s+)?[$\\(\s]*([a-zA-Z])\b(?![\^_({])",
    re.IGNORECASE,
)
# A choice whose question has one answer without it: it asks for a definite value, and nothing in it weighs choices.
_DEFINITE = re.compile(
    r"\b(?:what\s+(?:is|are|was)|find|calculate|compute|evaluate|determine|how\s+(?:many|much|long|far|old)|solve|"
    r"simplify|equals?|is)\b|求|计算|多少|等于|[为是]\s*\Z|=\s*\Z",
    re.IGNORECASE,
)
_WEIGHED = re.compile(
    r"\b(?:which|estimate[sd]?|closest|nearest|approximately|about|roughly|best|could|can|might|may|must|possible|possibly|necessarily|"
    r"except|not|true|false|correct|incorrect|likely|any|one\s+of|example|an?\s+value|between|least|most|largest|smallest|"
    r"greatest|equivalent|statements?|suitable|reasonable|range|interval|select|choose)\b"
    r"|[哪选]|可能|最|约|不|能|正确|错误|范围|成立|近|或",
    re.IGNORECASE,
)
_RELATIVE = re.compile(
    r"\b(?:none|all|both|neither|either|above|below|other|another|cannot|can't|not\s+enough|insufficient|undefined|"
    r"[A-J]\s+and\s+[A-J])\b|以上|都|无法|不能|不确定|其他",
    re.IGNORECASE,
)
_SUBSTANCE = re.compile(r"[\d$\\]|(?:\w+\W+){4}")  # a formula or some words, without which nothing is asked
_WORD = re.compile(r"(?<!\\)\b[a-zA-Z]{4,}")
_LONGEST = 60  # characters of a choice that is a value
_LETTER = re.compile(r"\s*(?:\\(?:boxed|text|mathrm|textbf)\{)?[(（]?\s*([A-J])\s*[)）]?\s*\}?\s*[.:：]?\s*")
_LETTERED = re.compile(r"\s*[(（]?([A-J])[)）.:：]\s*(\S.*)", re.DOTALL)


def asks_for_a_proof(text: str) -> bool:
    """Whether the problem itself has something proved or shown."""
    return _PROOF.search(_FINDINGS.sub(" ", text)) is not None


def asks_several(text: str) -> bool:
    """Whether there are two or more sub-questions: labelled parts that each ask, or two questions with their marks."""
    stem = parted(text)[0]
    if any(sum(_ASKS.search(part) is not None for part in parts) > 1 for parts in _labelled(stem)):
        return True
    plain = _QUOTED.sub(" ", stem)
    said = [one for one in _SENTENCES.split(plain) if one.endswith(("?", "？"))]
    questions = [one for one in said if not _POLITE.search(one)]
    return sum(_ASKING.search(found) is not None for found in questions) > 1


def asks_about_a_picture(text: str) -> bool:
    """Whether it refers to a picture that is not in the text."""
    if _DRAWN.search(text):
        return False
    return bool(_PICTURE.search(text) or (_SHOWN.search(text) and not _LAID_OUT.search(text)))


def is_a_choice(text: str, reference: str | None) -> bool:
    """Whether it lists choices, one of which the reference names: conditions (a), (b) and (c) are listed alike."""
    choices = parted(text)[1]
    return bool(choices) and reference is not None and _meant(reference, choices) is not None


def filled_in(text: str, reference: str | None) -> tuple[str, str] | None:
    """The question without its choices and the answer in words; None where the choices are part of the question.

    Only where the question asks for one definite value, the reference names one of the choices, and that choice is a
    value by itself, unlike every other.
    """
    stem, choices = parted(text)
    if reference is None or not choices or open_form(text) != stem or not _SUBSTANCE.search(stem):
        return None
    if _DEFINITE.search(stem) is None or _WEIGHED.search(stem) or _has_several_answers(stem):
        return None
    answer = _meant(reference, choices)
    spelled = ["".join(choice.lower().split()) for choice in choices.values()]
    if answer is None or len(set(spelled)) < len(spelled) or any(_RELATIVE.search(one) for one in choices.values()):
        return None
    is_value = len(answer) <= _LONGEST and (any(c.isdigit() for c in answer) or not _WORD.search(answer))
    return (stem, answer) if is_value else None


def _has_several_answers(stem: str) -> bool:
    """Whether more than one value answers a question, as far as its form tells: the choices tell which is meant."""
    if _COUNTS.search(stem):
        return False
    if _ANY.search(stem) or (_UNEQUAL.search(stem) and "=" not in stem):
        return True
    sought = {re.escape(letter) for letter in _LETTER_SOUGHT.findall(stem)}
    return any(
        re.search(
            rf"{x}\s*\^\s*\{{?\s*[2468]|(?<![a-zA-Z]){x}²|\|[^|]{{0,60}}(?<![a-zA-Z]){x}[^|]{{0,60}}\||\b(?:sin|cos|tan)\b",
            stem,
        )
        for x in sought
    )


def _meant(reference: str, choices: dict[str, str]) -> str | None:
    """The choice that a reference names: by its letter, its letter and text, or its text."""
    letter = _LETTER.fullmatch(reference)
    if letter:
        return choices.get(letter[1])
    both = _LETTERED.fullmatch(reference)
    said = {"".join(one.split()): one for one in choices.values()}
    if both:
        named = choices.get(both[1])
        return named if named is not None and "".join(named.split()) == "".join(both[2].split()) else None
    return said.get("".join(reference.split()))


def _labelled(text: str) -> Iterator[list[str]]:
    """The parts of each run of labels a, b, ... or 1, 2, ... that begins at the first."""
    for form, names in _LABELS:
        order = names.split() if " " in names else list(names)
        found = [(mark, order.index(mark[1])) for mark in form.finditer(text) if mark[1] in order]
        run: list[re.Match[str]] = []
        for mark, place in found:
            if place == len(run):
                run.append(mark)
        ends = [*(mark.start() for mark in run[1:]), len(text)]
        if len(run) > 1:
            yield [text[mark.end() : end] for mark, end in zip(run, ends, strict=True)]
