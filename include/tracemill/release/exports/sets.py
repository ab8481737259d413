"""The sets that an export can write; each is its configuration. What a row of each looks like says layouts.py."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tracemill.release.parts import Name

Rate = Annotated[float, Field(ge=0, le=1)]
# The paper's three models under the names of its files, by the names that recipes usually give them.
PaperModel = Literal["r1", "7b", "1.5b"]
PAPER_MODELS: dict[str, PaperModel] = {
    "deepseek-r1": "r1",
    "deepseek-r1-distill-qwen-7b": "7b",
    "deepseek-r1-distill-qwen-1.5b": "1.5b",
}


class OneSet(BaseModel):
    """Base of every set. `apart_from` names sets written before it, no problem of which is in this one."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    apart_from: tuple[Name, ...] = ()  # sets above this one whose problems it leaves out
    needs: ClassVar[tuple[str, ...]] = ("scores",)  # tables without which there is nothing to choose by


class Distilled40M(OneSet):
    """AM-DeepSeek-Distilled-40M's 14 columns: every response that reached selection, in the published files."""

    kind: Literal["distilled_40m"]
    models: dict[str, PaperModel] = Field(default_factory=lambda: dict(PAPER_MODELS))  # by teacher

    @model_validator(mode="after")
    def _one_teacher_each(self) -> Self:
        names = list(self.models.values())
        if twice := [name for name in names if names.count(name) > 1]:
            both = ", ".join(teacher for teacher, name in self.models.items() if name == twice[0])
            raise ValueError(f"models call {both} {twice[0]}: its files and its pass rate are of one teacher")
        return self


class Sft(OneSet):
    """Responses that a stage of selection takes, as messages to fine-tune on."""

    kind: Literal["sft"]
    stage: Literal[1, 2] = 1  # 1: what stage_one takes; 2: what stage_two takes
    needs: ClassVar[tuple[str, ...]] = ("scores", "stages")


class Rlvr(OneSet):
    """Problems that a verifier decides, with it and its settings, and how often each model solves them."""

    kind: Literal["rlvr"]
    by: str | None = None  # the teacher whose pass rate is asked; null: that some teacher's is within
    above: Rate = 0.0  # the pass rate exceeds this
    below: Rate = 1.0  # and lies below this
    needs: ClassVar[tuple[str, ...]] = ("scores", "grades", "verdicts")

    @model_validator(mode="after")
    def _holds_a_rate(self) -> Self:
        if self.above >= self.below:
            raise ValueError(f"above is {self.above}, below {self.below}: no pass rate lies between; lower above")
        return self


class Pairs(OneSet):
    """Of each problem a response that passes and one of the same model that fails, drawn by hash (for DPO)."""

    kind: Literal["pairs"]
    by: str | None = None  # the teacher whose responses are paired; null: of each problem one teacher by hash
    salt: str = "tracemill"  # another one draws other pairs


class Control(OneSet):
    """As many problems as set `like` has, drawn by hash from all that were scored; no response is filtered."""

    kind: Literal["control"]
    like: Name  # the set, above this one, to be as large as
    by: str | None = None  # the teacher whose responses are taken; null: every one's
    salt: str = "tracemill"  # another one draws other problems


AnySet = Annotated[Distilled40M | Sft | Rlvr | Pairs | Control, Field(discriminator="kind")]
