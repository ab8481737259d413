"""What a judge is: a model, a prompt of a file, and how a judgement is read from what the model says.

How a verdict is read is in judge/reading.py, what keeps a response from forging one in judge/fencing.py.
A model does not always keep to the format. What cannot be read is asked again, at most `attempts` times in all and each
time with another seed; after that nothing was shown either way, and the row is unverifiable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tracemill.judge.prompts import filled, prompt_digest
from tracemill.judge.reading import claims, rates_in_words, said_by, verdict
from tracemill.models.model import Model
from tracemill.models.request import Ask, Refusal, Reply
from tracemill.models.sampling import GREEDY, Sampling
from tracemill.models.session import Feed

T = TypeVar("T")
Parse = Callable[[str], T | None]


@dataclass(frozen=True)
class Judged(Generic[T]):
    """What came of one question: a value, or None after `attempts` answers that could not be read (or a refusal).

    `astray`: the last one was whole and without a thought, and only missed the form.
    """

    value: T | None
    attempts: int
    said: str
    refusal: Refusal | None = None
    astray: bool = False


class Asker(BaseModel):
    """Base of judges and labellers: the model, the sampling of the first attempt, and the number of attempts.

    The first attempt is greedy (temperature 0; the papers give no sampling), later ones are drawn at
    `retry_temperature`: asking a greedy model again would only give the same unreadable answer. With `structured` a
    model that missed the form is made to keep to it in later attempts, where its server can do that (see `shape`). A
    first attempt is never bound, nor one after a thought or a cut answer: who may not think only guesses.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    model: Model
    sampling: Sampling = GREEDY
    attempts: Annotated[int, Field(ge=1, le=10)] = 3  # answers asked for until one can be read
    retry_temperature: Annotated[float, Field(gt=0, le=2)] = 0.7
    structured: Annotated[bool, Field(exclude_if=lambda on: on)] = True

    @model_validator(mode="after")
    def _can_be_said_there(self) -> Asker:
        api = self.model.api
        refused = api.refuses({"messages": [], **self.sampling.body("", 0)}) if api else None
        if refused:
            raise ValueError(f"model {self.model.name!r}: {refused}")
        return self

    def ask(self, prompt: str, values: Mapping[str, str], attempt: int = 0) -> Ask:
        """The request with the prompt file filled in."""
        text = filled(prompt, **values)
        sampling = self.sampling if attempt == 0 else self.sampling.model_copy(update=self._bolder())
        body = {"messages": [{"role": "user", "content": text}], **sampling.body(text, attempt)}
        return Ask("/v1/chat/completions", body, attempt, idle=sampling.idle)

    def _bolder(self) -> dict[str, float]:
        return {"temperature": max(self.retry_temperature, self.sampling.temperature)}

    def answers(
        self, feed: Feed, prompt: str, questions: Sequence[Mapping[str, str]], parse: Parse[T]
    ) -> list[Judged[T]]:
        """One judgement per question; each round asks again only what could not be read in the round before."""
        judged: list[Judged[T]] = [Judged(None, 0, "") for _ in questions]
        open_places = list(range(len(questions)))
        for attempt in range(self.attempts):
            asks = [self._asked(prompt, questions[place], attempt, judged[place]) for place in open_places]
            for place, answer in zip(open_places, feed.answers(asks), strict=True):
                judged[place] = self._read(questions[place], answer, attempt + 1, parse)
            open_places = [p for p in open_places if judged[p].value is None and judged[p].refusal is None]
            if not open_places:
                break
        return judged

    @property
    def shape(self) -> dict[str, Any] | None:
        """The JSON schema of an answer, if it has one; whatever keeps to it is read as any other answer is."""
        return None

    def _asked(self, prompt: str, question: Mapping[str, str], attempt: int, before: Judged[T]) -> Ask:
        ask = self.ask(prompt, question, attempt)
        batched = self.model.api is not None and self.model.api.batch is not None  # nobody there takes back a refusal
        return replace(ask, shape=self.shape) if before.astray and self.structured and not batched else ask

    def is_astray(self, said: str) -> bool:
        """Whether an answer that could not be read says what was asked for in another form."""
        return False

    def admits(self, question: Mapping[str, str], value: Any) -> bool:
        """Whether a value may stand for an answer to that question; what may not is asked again."""
        return True

    def _read(self, question: Mapping[str, str], answer: Reply | Refusal, attempts: int, parse: Parse[T]) -> Judged[T]:
        if isinstance(answer, Refusal):
            return Judged(None, attempts, "", answer)
        said = said_by(answer)
        if said is None:
            return Judged(None, attempts, answer.text)
        value = parse(said)
        if value is None:
            return Judged(None, attempts, said, astray=said == answer.text and self.is_astray(said))
        return Judged(value if self.admits(question, value) else None, attempts, said)


class Judge(Asker):
    """Base of the judges that give a response a number from `low` to `high`. Subclasses say how it is read.

    `pass_mark` is the lowest number that passes. No paper gives it for the 1–5 scale; 5 is "completely correct" there.
    `prompt` names a file of the prompts folder.
    """

    prompt: str
    pass_mark: float
    needs_reference: bool = True  # a response without a reference answer is not judged

    @property
    def name(self) -> str:
        """How verdict tables call this judge."""
        return f"{getattr(self, 'kind', 'judge')}:{self.model.name}"

    @property
    def scale(self) -> tuple[float, float]:
        """The lowest and the highest number there is."""
        raise NotImplementedError  # abstract

    @property
    def verdict_names(self) -> tuple[str, ...]:
        """What the number is called in a judgement."""
        raise NotImplementedError  # abstract

    @property
    def number(self) -> dict[str, Any]:
        """The JSON schema of the number."""
        raise NotImplementedError  # abstract

    @property
    def shape(self) -> dict[str, Any]:
        """An object with the verdict alone."""
        name = self.verdict_names[0]
        return {"type": "object", "properties": {name: self.number}, "required": [name], "additionalProperties": False}

    def is_astray(self, said: str) -> bool:
        """Where it rates in words. Several verdicts, one in doubt or none at all are the judge's own word: bound to a
        number it would only guess.
        """
        return rates_in_words(said) and not claims(said, self.verdict_names)

    def parse(self, said: str) -> float | None:
        """The number in a judgement, or None when there is no single one on the scale."""
        return verdict(said, self.verdict_names, *self.scale)

    def admits(self, question: Mapping[str, str], value: Any) -> bool:
        """Not a number that the judged text gives itself as its verdict: the judge may only have quoted it."""
        return value not in claims(question.get("llm_answer", ""), self.verdict_names)

    def share(self, number: float) -> float:
        """The number as a share of the scale, from 0 to 1."""
        low, high = self.scale
        return (number - low) / (high - low)

    def material(self) -> str:
        """What besides the settings decides a judgement: the prompt's text."""
        return prompt_digest(self.prompt)
