"""Decides of one row whether a training would learn its thinking and its answer, both whole, and nothing else.

A row is rendered beside a stand-in of its shape, whose texts are names: where the two agree, every text's place is
known, however short it is. Where they do not, the template looked at the words, and the texts are searched for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tracemill.release.proof.ending import end_of
from tracemill.release.proof.example import Example, standing_in
from tracemill.release.proof.faults import OF, PARTS, Found, Part
from tracemill.release.proof.masks import Tokens, characters, encoded_all
from tracemill.release.proof.readable import misread
from tracemill.release.proof.rendering import Refused, Rendered, Span, matched, name_of, pieces, rendered
from tracemill.release.proof.templates import Template
from tracemill.release.trainers.spoken import Spoken

# What templates write where they found no thinking: a student would learn to think nothing.
_EMPTY = re.compile(r"<think>\s*</think>|<\|START_THINKING\|>\s*<\|END_THINKING\|>|<\|channel>thought\s*<channel\|>")
_SHOWN = 20  # characters of what ends a turn
_CHARACTERS = 1 << 20  # of texts that go through the tokenizer at once: about 100 bytes of memory each


@dataclass
class Prover:
    """Proves rows against one template. `most`: tokens after which a trainer cuts; None where nothing is cut."""

    template: Template
    most: int | None = None
    _shapes: dict[object, Sequence[str | int]] = field(default_factory=dict)

    def proved(self, rows: Sequence[tuple[Example, Spoken]]) -> list[list[Found]]:
        """The faults of each row, none for a row that is whole; the texts go through the tokenizer at once."""
        found: list[list[Found]] = []
        drawn: list[_Row] = []
        size = 0
        for given, said in rows:
            drawn.append(_Row(self, given, said))
            size += drawn[-1].size
            if size >= _CHARACTERS:
                found += self._judged(drawn)
                drawn = []
                size = 0
        return found + self._judged(drawn)

    def _judged(self, drawn: list[_Row]) -> list[list[Found]]:
        texts = [row.text for row in drawn if row.text is not None]
        if self.template.folder is not None and texts:
            encoded = iter(encoded_all(self.template, texts))
            for row in drawn:
                row.tokens = next(encoded) if row.text is not None else None
        return [list(row.faults()) for row in drawn]

    def shape(self, given: Example, said: Spoken, anew: bool) -> Sequence[str | int] | None:
        """The pieces of a stand-in for this row; kept by shape, made `anew` for a template that tells the time."""
        names = [name_of(number) for number in range(len(said.earlier) + 2)]
        stand = standing_in(given, said, names)
        if stand is None:
            return None
        key = (given.prompt, tuple((turn["role"], turn["content"]) for turn in stand.messages), tuple(names))
        if anew or key not in self._shapes:
            self._shapes[key] = pieces(rendered(self.template, stand).text)
        return self._shapes[key]


@dataclass
class _Row:
    prover: Prover
    given: Example
    said: Spoken
    text: Rendered | None = None
    tokens: Tokens | None = None
    early: list[Found] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Characters of the rendered row."""
        return len(self.text.text) if self.text else 0

    @property
    def length(self) -> str | None:
        """How long a row is that a trainer would cut, in words; None for one that it would not."""
        if self.tokens is None or self.prover.most is None or len(self.tokens.loss) <= self.prover.most:
            return None
        return f"{len(self.tokens.loss):,} tokens"

    def __post_init__(self) -> None:
        self.early = list(_blank(self.said))
        if any(one.fault == "null" for one in self.early):
            return
        try:
            self.text = rendered(self.prover.template, self.given)
        except Refused as refusal:
            self.early.append(Found("refused", str(refusal)))

    def faults(self) -> Iterable[Found]:
        """All faults of the row, in the order of FAULTS."""
        if self.text is None or self.early:
            yield from self.early
            if self.length is not None:
                yield Found("end_cut", self.length)  # whatever else is there, a trainer cuts it
            return
        texts = [*(text or "" for _, text in self.said.earlier), self.said.think or "", self.said.answer or ""]
        places = self._places(self.text, texts)
        if places is None:
            places = _searched(self.text.text, texts)
            yield from _counted(self.text.text, texts) or [Found("altered", "the template looks at the words")]
        else:
            yield from self._kept(places)
        response = max((span[1] for each in list(places.values())[:-2] for span in each), default=0)
        if _EMPTY.search(self.text.text, response) and not any(map(_EMPTY.search, texts)):
            yield Found("empty_block", "the template writes a block of thinking without any")
        if self.text.alone is not None and not self.text.text.startswith(self.text.alone.rstrip()):
            yield Found(
                "prompt_mismatch", "a student would be asked otherwise: the rendered prompt does not begin the row"
            )
        yield from self._learned(self.text, places)

    def _places(self, text: Rendered, texts: list[str]) -> dict[int, list[Span]] | None:
        for anew in (False, True):
            shape = self._shape(anew)
            if shape is None:
                return None
            places = matched(text.text, shape, texts)
            if places is not None:
                return places
        return None

    def _shape(self, anew: bool) -> Sequence[str | int] | None:
        try:
            return self.prover.shape(self.given, self.said, anew)
        except Refused:
            return None  # of the stand-in only: it is the words again

    def _kept(self, places: dict[int, list[Span]]) -> Iterable[Found]:
        earlier = len(self.said.earlier)
        for offset, part in enumerate(PARTS):
            times = len(places[earlier + offset])
            if times != 1:
                yield Found(OF[part, "doubled" if times else "missing"], f"{times} times")
        lost = [self.said.earlier[number] for number in range(earlier) if not places[number]]
        for role, text in lost[:1]:
            if (text or "").strip():
                yield Found("prompt_missing", f"the text of a turn of the {role} is not there")

    def _learned(self, text: Rendered, places: dict[int, list[Span]]) -> Iterable[Found]:
        earlier = len(self.said.earlier)
        spans = {part: places[earlier + offset] for offset, part in enumerate(PARTS)}
        yield from self._misread(text, spans)
        if spans["answer"]:
            yield from self._ended(text, spans["answer"][-1][1])
        for part, found in spans.items():
            if found and not all(self._in_loss(text, span) for span in found):
                yield Found(OF[part, "outside"])
        if any(self._touches(text, span) for number in range(earlier) for span in places[number]):
            yield Found("earlier_in_loss")
        if self.length is not None:
            cut = [part for part, at in spans.items() if any(map(self._is_cut, at))]
            yield from (Found(OF[part, "cut"], self.length) for part in cut)
            if not cut:
                yield Found("end_cut", self.length)

    def _misread(self, text: Rendered, spans: Mapping[Part, list[Span]]) -> Iterable[Found]:
        if self.tokens is None:
            return
        for part, found in spans.items():
            for fault, why in (
                one for span in found for one in misread(self.prover.template, self.tokens, text.text, span)
            ):
                yield Found(fault, f"{part}: {why}")

    def _ended(self, text: Rendered, after: int) -> Iterable[Found]:
        """What is wrong with the end of the response, which stands behind the answer."""
        place = end_of(text.text, self.given, after)
        if place is None:
            yield Found("end_missing", "nothing stands behind the answer: a student would not learn to stop")
            return
        mark = (place, place + 1)
        if self.tokens is not None and self.tokens.ids[self.tokens.span(mark)[0]] not in self.prover.template.stops:
            yield Found("end_unknown", f"the tokenizer has no token of its own for {text.text[place:][:_SHOWN]!r}")
        if not self._in_loss(text, mark):
            yield Found("end_outside_loss")

    def _is_cut(self, span: Span) -> bool:
        most = self.prover.most
        return self.tokens is not None and most is not None and self.tokens.span(span)[1] > most

    def _in_loss(self, text: Rendered, span: Span) -> bool:
        if self.tokens is not None:
            first, last = self.tokens.span(span)
            return bool(self.tokens.loss[first:last].all())
        return any(start <= span[0] and span[1] <= end for start, end in characters(text))

    def _touches(self, text: Rendered, span: Span) -> bool:
        if self.tokens is not None:
            first, last = self.tokens.span(span)
            return bool(self.tokens.loss[first:last].any())
        return any(start < span[1] and span[0] < end for start, end in characters(text))


def _blank(said: Spoken) -> Iterable[Found]:
    if said.think is None or said.answer is None or any(text is None for _, text in said.earlier):
        blank = [name for name, text in zip(PARTS, (said.think, said.answer), strict=True) if text is None]
        yield Found("null", ", ".join(blank) or "an earlier turn")
        return
    if not said.think.strip():
        yield Found("empty_thinking")
    if not said.answer.strip():
        yield Found("empty_answer")


def _counted(text: str, texts: Sequence[str]) -> list[Found]:
    """Which of thinking and answer are in the text less or more often than in the row itself."""
    found = []
    for offset, part in enumerate(PARTS, start=len(texts) - 2):
        body = texts[offset].strip()
        times = text.count(body)
        due = sum(other.count(body) for other in texts)
        if times != due:
            fault = OF[part, "missing" if times < due else "doubled"]
            found.append(Found(fault, f"{times} times, where the row has it {due} times"))
    return found


def _searched(text: str, texts: Sequence[str]) -> dict[int, list[Span]]:
    """Where thinking and answer are last; earlier turns where they are first. Blank texts are nowhere."""
    places: dict[int, list[Span]] = {}
    for number, body in enumerate(each.strip() for each in texts):
        start = text.find(body) if number < len(texts) - 2 else text.rfind(body)
        places[number] = [(start, start + len(body))] if body and start >= 0 else []
    return places
