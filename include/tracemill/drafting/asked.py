"""The model that a drafted recipe asks: behind an API key, or in a folder; a key itself is never taken."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from tracemill.errors import RecipeError
from tracemill.models.api import Api
from tracemill.models.prices import Price
from tracemill.models.profiles import Profile

PROVIDERS = {
    "deepseek": ("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "openai": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "openrouter": ("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "anthropic": ("https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
    "mistral": ("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "gemini": ("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    "groq": ("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "xai": ("https://api.x.ai/v1", "XAI_API_KEY"),
}
_THINKS = re.compile(r"reason|think|(?:^|[-/._])r1|qwq|magistral|gpt-oss|qwen3|(?:^|/)o\d", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CALLS = re.compile(r"/(?:chat/completions|completions|responses|messages|models)/*$")  # what is asked below an address
_LOCAL = {"127.0.0.1", "localhost", "::1"}
LONG = 32768  # tokens an answer may have: of models that think long, and what nearly all others accept
SHORT = 8192


@dataclass(frozen=True)
class Asked:
    """A model as a recipe names it. Exactly one of `url` and `weights`; `key` is an environment variable's name."""

    model: str
    url: str | None = None
    key: str | None = None
    weights: str | None = None
    price: Price | None = None
    limit: float | None = None
    thinks: bool | None = None
    profile: Profile | None = None

    @property
    def name(self) -> str:
        """What logs and tables call it: small letters, digits, points and dashes."""
        return re.sub(r"[^a-z0-9_.-]+", "-", self.model.rsplit("/", 1)[-1].lower()).strip("-_.") or "teacher"

    @property
    def is_thinking(self) -> bool:
        """Whether it thinks by itself before it answers: as was said, else by its name."""
        return bool(_THINKS.search(self.model)) if self.thinks is None else self.thinks

    def api(self) -> Api | None:
        """The API, checked. Raises RecipeError for an address or a key that a recipe may not hold."""
        if self.url is None:
            return None
        as_of = datetime.now(UTC).strftime("%Y-%m")
        key = f"${{{self.key}}}" if self.key else None
        try:
            return Api(
                url=self.url,
                model=self.model,
                key=key,
                as_of=as_of,
                profile=self.profile,
                price=self.price,
                limit=self.limit,
            )
        except ValueError as error:
            raise RecipeError(f"--api {_without_secret(self.url)}: {_first(error)}") from None


def provider(api: str) -> tuple[str, str | None]:
    """The address and the usual key variable of an API, given by a known name or by its address."""
    if api.lower() in PROVIDERS:
        return PROVIDERS[api.lower()]
    api = _CALLS.sub("", api)
    host = urlsplit(api).hostname or ""
    if not host:
        raise RecipeError(f"--api {api}: write its address (https://.../v1), or one of: {', '.join(PROVIDERS)}")
    usual = [key for address, key in PROVIDERS.values() if urlsplit(address).hostname == host]
    return api, usual[0] if usual else None if host in _LOCAL else "API_KEY"


def variable(key: str | None) -> str | None:
    """The name of the environment variable with the key; "" for none. Raises RecipeError, without repeating what was
    given, for what looks like a key itself.
    """
    bare = (key or "").strip().removeprefix("${").removeprefix("$").removesuffix("}")
    if bare and (not _VARIABLE.fullmatch(bare) or _looks_secret(bare)):
        raise RecipeError(
            "--key takes the NAME of an environment variable, and this looks like a key itself: a key in a recipe "
            "would end in the store and in logs. Do `export MY_KEY=...` and say --key MY_KEY"
        )
    return bare or None


def _looks_secret(word: str) -> bool:
    return len(word) >= 20 and any(c.isdigit() for c in word) and any(c.islower() for c in word)


def model_lines(asked: Asked, folder: Path) -> list[str]:
    """The YAML of the key `model`, below it."""
    api = asked.api()
    if api is None:
        return [f"name: {plain(asked.name)}", f"weights: {_placed(asked.weights or '', folder)}"]
    lines = [f"name: {plain(asked.name)}", "api:", f"  url: {json.dumps(api.url)}", f"  model: {json.dumps(api.model)}"]
    lines += [f'  key: "{api.key}"  # an environment variable: the key itself is never written down'] if api.key else []
    lines.append(f'  as_of: "{api.as_of}"  # what the name means now; change it to ask anew')
    lines += [f"  profile: {api.profile}  # which fields this address takes"] if api.profile else []
    if api.price:
        lines.append(f"  price: {{input: {api.price.input:g}, output: {api.price.output:g}}}  # of a million tokens")
    else:
        lines.append("  # price: {input: 0.55, output: 2.19}  # of a million tokens; then costs are counted")
    lines.append(f"  limit: {api.limit:g}" if api.limit else "  # limit: 20  # stop when so much is spent")
    return lines


def plain(name: str) -> str:
    """A name as YAML reads it back: in quotes where it would else be a number, a date, a truth or nothing."""
    return name if yaml.safe_load(name) == name else json.dumps(name)


def _placed(weights: str, folder: Path) -> str:
    """A model's folder as a recipe in that folder names it. Raises RecipeError where there is no model."""
    place = Path(weights).expanduser().resolve()
    if not (place / "config.json").is_file():
        raise RecipeError(f"--weights {weights}: holds no model (config.json is missing)")
    inside = place.is_relative_to(folder)
    return json.dumps(f"./{place.relative_to(folder).as_posix()}" if inside else str(place))


def _without_secret(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"


def _first(error: ValueError) -> str:
    return "; ".join(line.strip() for line in str(error).splitlines()[2:3]).split(" [type=")[0]
