"""Finds the chat template and the tokenizer that a training would use, by name, folder or file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2

from tracemill.engine.objects import store_io
from tracemill.errors import RecipeError

TRL = "1.16.0"  # whose templates lie in chat_templates
_SHIPPED = Path(__file__).with_name("chat_templates")
_SUFFIX = "_training.jinja"
_MARKS = re.compile(r"\{%-?\s*generation\s*-?%\}")
_NEVER = 1 << 40  # a tokenizer that knows no longest text says a number of 31 digits


@dataclass(frozen=True)
class Template:
    """A chat template, and the folder of the tokenizer that cuts its text into tokens, if one is known."""

    name: str
    text: str = field(repr=False)
    folder: str | None = None

    @property
    def marks(self) -> bool:
        """Whether it says by `generation` marks which part the assistant wrote: `assistant_only_loss` needs them."""
        return bool(_MARKS.search(self.text))

    @cached_property
    def tokenizer(self) -> Any:
        """The fast tokenizer, or None where no folder is known. Loads it once a process."""
        return _tokenizer(self.folder) if self.folder else None

    @property
    def special(self) -> dict[str, str]:
        """What the template may call bos_token and so on; without a tokenizer, texts that no row has."""
        if self.folder is None:
            return {"bos_token": "<s>", "eos_token": "</s>"}
        return {name: str(token) for name, token in self.tokenizer.special_tokens_map.items()}

    @property
    def longest(self) -> int | None:
        """The most tokens that the tokenizer says its model takes; None where it does not say."""
        most = self.tokenizer.model_max_length if self.folder else None
        return int(most) if isinstance(most, int | float) and 1 <= most <= _NEVER else None

    @cached_property
    def controls(self) -> Mapping[int, str]:
        """The tokens that say something about a text rather than stand in it, by number; they are read out of any text.

        Empty without a tokenizer.
        """
        if self.folder is None:
            return {}
        added = self.tokenizer.backend_tokenizer.get_added_tokens_decoder()
        return {number: token.content for number, token in added.items() if token.special}

    @cached_property
    def stops(self) -> Mapping[int, str]:
        """The tokens that may end a turn, by number: those of `controls`, and the tokenizer's own end."""
        known = self.tokenizer.eos_token_id if self.folder else None
        return self.controls if known is None else {**self.controls, known: str(self.tokenizer.eos_token)}

    def __getstate__(self) -> dict[str, Any]:
        return {"name": self.name, "text": self.text, "folder": self.folder}  # each process loads its own tokenizer


def shipped() -> list[str]:
    """The names of trl's training templates."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in _SHIPPED.glob(f"*{_SUFFIX}"))


def template(name: str, tokenizer: str | None = None) -> Template:
    """One of trl's by its name, a tokenizer's own by its folder, or a .jinja file; `tokenizer`: another's folder.

    Raises RecipeError when there is none of that name, when the tokenizer has no template, or when it cannot be read:
    here, so that no row is said to be refused for it.
    """
    place = Path(name)
    if name in shipped():
        found = Template(name, (_SHIPPED / f"{name}{_SUFFIX}").read_text(encoding="utf-8"), tokenizer)
    elif place.is_dir():
        found = Template(name, _own(name), tokenizer or name)
    elif place.suffix == ".jinja" and place.is_file():
        with store_io(f"cannot read {place}"):
            found = Template(place.stem, place.read_text(encoding="utf-8"), tokenizer)
    else:
        raise RecipeError(
            f"{name!r} is no tokenizer's folder, no .jinja file and none of trl's templates: {', '.join(shipped())}"
        )
    _parsed(found)
    if found.folder:
        _ = found.tokenizer
    return found


def _own(folder: str) -> str:
    text = _tokenizer(folder).chat_template
    if isinstance(text, dict):
        text = text.get("default")
    if not text:
        raise RecipeError(f"the tokenizer in {folder} has no chat template: name one of trl's and --tokenizer {folder}")
    return str(text)


def _tokenizer(folder: str) -> Any:
    from transformers import AutoTokenizer

    if not Path(folder).is_dir():
        raise RecipeError(f"there is no folder {folder}, where a tokenizer should be")
    try:
        found = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # the boundary to files of others: tokenizers raises what has no class of its own
        said = str(error).splitlines() or [type(error).__name__]
        raise RecipeError(f"{folder} holds no tokenizer that can be read: {said[0]}") from error
    if not found.is_fast:
        raise RecipeError(f"the tokenizer in {folder} cannot say which token a character is in: take its fast form")
    return found


def _parsed(found: Template) -> None:
    from transformers.utils.chat_template_utils import _compile_jinja_template

    try:
        _compile_jinja_template(found.text)
    except (jinja2.TemplateError, ValueError, RecursionError) as error:
        raise RecipeError(f"template {found.name} is no Jinja template: {error}") from error
