"""What a teacher is: it turns a problem into requests for reasoning traces, and says how a cut trace goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tracemill.distill.modes import Mode
from tracemill.distill.policies import AnyPolicy, Fixed
from tracemill.models.model import Model
from tracemill.models.request import Ask, Reply
from tracemill.models.sampling import Sampling
from tracemill.models.token_logprobs import MOST

ModeName = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
MATHS_DIRECTIVE = "Please reason step by step, and put your final answer within \\boxed{}."


@dataclass(frozen=True)
class Assignment:
    """A problem as a teacher sees it: its text, its turns when there are several, and its category for directives.

    By category and `difficulty` a policy knows what to expect.
    """

    problem_id: str
    prompt: str
    category: str | None = None
    messages: Sequence[Mapping[str, str]] | None = None
    difficulty: str | None = None


class Teacher(BaseModel):
    """Base of every teacher.

    `samples`: traces per problem. `policy`: when fewer are enough, or more are needed (`distill.policies`). `modes`:
    ways of asking by their names, in each of which every problem has its own samples; with none there is one way.
    `directives`: a sentence added to the last user turn, by category ("*": any other); the default is DeepSeek's for
    mathematics (DeepSeek-R1 README). `prefix` starts every answer, as "<think>\\n" does for models that else skip
    thinking (same source). `continue_to`: a trace cut at `sampling.max_tokens` is continued to this many tokens in all,
    on the numbers of its tokens: the server must know `return_token_ids` (vLLM does), else the trace stays cut.
    `source` is what the release calls the origin of these traces; default the model's name. `logprobs`: also keep, at
    each token of a trace, how likely it was and which so many tokens were the likeliest, for distillation on logits;
    the server must be vLLM. They take about six bytes for each of these tokens.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    model: Model
    sampling: Sampling = Sampling()
    samples: Annotated[int, Field(ge=1)] = 1
    policy: Annotated[AnyPolicy, Field(exclude_if=lambda policy: isinstance(policy, Fixed))] = Fixed()
    modes: Annotated[dict[ModeName, Mode], Field(exclude_if=lambda modes: not modes)] = {}
    directives: dict[str, str] = {"math": MATHS_DIRECTIVE}
    prefix: str = ""
    continue_to: Annotated[int, Field(ge=1)] | None = None
    source: str | None = None
    logprobs: Annotated[int, Field(ge=0, le=MOST, exclude_if=lambda most: not most)] = 0  # 0: none are kept

    @model_validator(mode="after")
    def _samples_differ(self) -> Self:
        most = self.most
        if self.samples > most:
            raise ValueError(f"samples is {self.samples}, and policy.max {most}: lower samples, or raise policy.max")
        for mode, way in self.ways():
            if most > 1 and way.sampling.temperature == 0:
                name = "samples" if isinstance(self.policy, Fixed) else "policy.max"
                where = f"modes.{mode}" if mode else "sampling"
                raise ValueError(
                    f"{name} is {most} at temperature 0: all would be the same trace, paid {most} times. "
                    f"Raise {where}.temperature, or ask for one sample"
                )
        return self

    @model_validator(mode="after")
    def _modes_differ(self) -> Self:
        known: dict[str, str] = {}
        for mode, way in self.ways():
            same = known.setdefault(way.model_dump_json(exclude={"modes"}), mode or "")
            if same != (mode or ""):
                raise ValueError(f"modes {same!r} and {mode!r} ask for the same: remove one of them")
        return self

    @model_validator(mode="after")
    def _can_be_said_there(self) -> Self:
        api = self.model.api
        if api and api.takes != "compatible" and (self.prefix or self.continue_to):
            raise ValueError(
                f"model {self.model.name!r} is behind {api.provider}, which begins and continues no answers: remove "
                "`prefix` and `continue_to`, and give sampling.max_tokens room enough"
            )
        if api and api.takes != "compatible" and self.logprobs:
            raise ValueError(
                f"model {self.model.name!r} is behind {api.provider}, which tells no token's number: remove `logprobs`"
            )
        for _, way in self.ways():
            refused = api.refuses({"messages": [], **way.sampling.body("", 0)}) if api else None
            if refused:
                raise ValueError(f"model {self.model.name!r}: {refused}")
        return self

    def ways(self) -> list[tuple[str | None, Self]]:
        """The teacher in each of its modes, by their names in order; itself alone where there is none."""
        return [(name, self.in_mode(self.modes[name])) for name in sorted(self.modes)] or [(None, self)]

    def in_mode(self, mode: Mode) -> Self:
        """This teacher as it is asked in one mode."""
        return self.model_copy(update={"sampling": mode.sampled(self.sampling), "modes": {}})

    @property
    def most(self) -> int:
        """The most samples of one problem in one mode."""
        return self.policy.most(self.samples)

    @property
    def requests(self) -> int:
        """The most samples of one problem in all modes."""
        return self.most * max(1, len(self.modes))

    def ask(self, assignment: Assignment, sample: int) -> Ask:
        """The request for one trace."""
        raise NotImplementedError  # abstract

    def whole(self, text: str) -> str:
        """An answer with the prefix that it was begun with; a server that took the thought apart gave its tag back."""
        opened = self.prefix.rstrip().endswith("<think>") and text.lstrip().startswith("<think>")
        return text if opened else self.prefix + text

    def go_on(self, asked: Ask, reply: Reply) -> Ask | None:
        """The request that continues a cut trace; None when it was not cut or the budget is spent."""
        left = (self.continue_to or 0) - (reply.completion_tokens or 0)
        if reply.finish_reason != "length" or left < 1:  # a loop that the server ended ("repetition") goes on nowhere
            return None
        more = self._continuation(asked, self.whole(reply.text), left)
        more = replace(more, sample=asked.sample, idle=asked.idle)
        return replace(more, keeps_tokens=False, goes_on=True, tokens=reply.token_ids, logprobs=asked.logprobs)

    def _continuation(self, asked: Ask, begun: str, tokens: int) -> Ask:
        raise NotImplementedError  # abstract

    def directive(self, category: str | None) -> str:
        """The sentence to add to a problem of that category, or nothing."""
        return self.directives.get(category or "*", self.directives.get("*", ""))


def seeded(sampling: Sampling, assignment: Assignment, sample: int) -> dict[str, Any]:
    """The sampling fields of a request for one trace of a problem."""
    return sampling.body(assignment.prompt, sample)
