"""The answers to one shard's asks, and who decides which are asked: all at once, or the next ones from those so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from tracemill.models.request import Answer, Ask, Packed, Refusal

Tag = tuple[int, ...]  # what a course calls an ask by
Held = Packed | Refusal


@dataclass(frozen=True)
class Next:
    """What a course wants after it was told answers: `asks` in the order in which to send them, those of `dropped` not
    any more. A dropped ask that is on its way is closed at the server.
    """

    asks: Mapping[Tag, Ask] = field(default_factory=dict)
    dropped: Collection[Tag] = ()


class Answers:
    """Answers by the tag of their ask; equal asks, which have one key, share one. `identity`: which weights answer."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self._keys: dict[Tag, str] = {}
        self._left: Counter[str] = Counter()
        self._held: dict[str, Held] = {}

    def expect(self, asks: Mapping[Tag, Ask]) -> dict[Tag, str]:
        """The keys of these asks, whose answers may come."""
        keys = {tag: self._keys.get(tag) or ask.key(self.identity) for tag, ask in asks.items()}
        fresh = [tag for tag in keys if tag not in self._keys]
        self._left.update(keys[tag] for tag in fresh)
        self._keys.update(keys)
        return keys

    def keep(self, held: Mapping[str, Held]) -> None:
        """Hold answers by their keys."""
        self._held.update(held)

    def has(self, tag: Tag) -> bool:
        """Whether the answer to that ask is there."""
        return self._keys.get(tag) in self._held

    def knows(self, tag: Tag) -> bool:
        """Whether that ask is expected."""
        return tag in self._keys

    def holds(self, key: str) -> bool:
        """Whether the answer with that key is there."""
        return key in self._held

    def values(self) -> Collection[Held]:
        """All that are held now."""
        return self._held.values()

    def look(self, tag: Tag) -> Answer:
        """The answer to that ask; it stays."""
        answer = self._held[self._keys[tag]]
        return answer.reply() if isinstance(answer, Packed) else answer

    def forget_tokens(self, tag: Tag) -> None:
        """Drop the numbers of a cut answer's tokens: they are with the ask that continues it."""
        answer = self._held[self._keys[tag]]
        if isinstance(answer, Packed):
            self._held[self._keys[tag]] = Packed(answer.text, replace(answer.rest, token_ids=None))

    def take(self, tag: Tag) -> Answer:
        """The answer to that ask, which is forgotten once all equal asks have taken it."""
        answer = self.look(tag)
        self.drop([tag])
        return answer

    def drop(self, tags: Iterable[Tag]) -> list[str]:
        """Expect the answers to these asks no more. Returns the keys that no other ask expects either."""
        keys = [key for tag in tags if (key := self._keys.pop(tag, None)) is not None]
        self._left.subtract(keys)
        gone = [key for key in keys if self._left[key] <= 0]
        for key in gone:
            self._held.pop(key, None)
            del self._left[key]
        return gone


class Course(Protocol):
    """Decides which asks are sent. What it decides must depend on the answers alone, never on the order they came in.

    `told` is called with the tags of answers that are there now, by one thread at a time; it may take long. A course
    that `waits` for something else than answers is told of none now and then, until it does not.
    """

    @property
    def waits(self) -> bool:
        """Whether it may want something else although every answer is there."""
        ...

    def begin(self) -> Mapping[Tag, Ask]:
        """What is asked in any case, in the order in which to send it."""
        ...

    def ahead(self) -> Mapping[Tag, Ask]:
        """What may be asked later: answers that the store has are looked for once for all of them."""
        ...

    def told(self, tags: Sequence[Tag], answers: Answers) -> Next:
        """What else is asked now, and what is not any more."""
        ...


class Together:
    """The course of asks that are all sent whatever is answered; their tags are their places alone."""

    waits = False

    def __init__(self, asks: Sequence[Ask]) -> None:
        self._asks = asks

    def begin(self) -> Mapping[Tag, Ask]:
        """All of them."""
        return {(place,): ask for place, ask in enumerate(self._asks)}

    def ahead(self) -> Mapping[Tag, Ask]:
        """Nothing else."""
        return {}

    def told(self, tags: Sequence[Tag], answers: Answers) -> Next:
        """Nothing else."""
        return Next()
