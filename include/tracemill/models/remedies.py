"""Says what to change in a recipe when a server refuses a field of a request: by what the server says of it.

What a field is and who takes it stands in profiles.py, so the remedy is looked up there: the profile with which the
refused fields are not sent, or are called as the server wants them, and most others still are.
"""

from __future__ import annotations

import re

from tracemill.models.api import Api
from tracemill.models.profiles import CALLED, IDLE, NO_MATTER, OURS, TAKES, Profile
from tracemill.models.sampling import Sampling

_REFUSES = re.compile(
    r"unrecogni[sz]ed|unknown|unsupported|unexpected|does(?: not|n't) (?:support|accept)|cannot both|only the default"
    r"|not (?:supported|permitted|allowed|available|a valid|recogni[sz]ed)"
    r"|(?:invalid|no such) (?:argument|parameter|field)"
    r"|(?:extra|additional) (?:\w+ )?(?:fields?|inputs?|propert\w+|parameters?)",
    re.IGNORECASE,
)
_INSTEAD = "max_completion_tokens"
_FIELDS = sorted((OURS | {_INSTEAD}) - {"model", "messages", "stream"}, key=len, reverse=True)
_NAMES = re.compile(rf"(?<![\w.])({'|'.join(_FIELDS)})(?!\w)")
_OF_CHANCE = {"temperature", "top_p"}
# What no recipe need say, so that a profile may leave it out; and the two names of one field, of which each has one.
_BY_PROFILE = NO_MATTER | IDLE.keys() | {"max_tokens", _INSTEAD}


def remedy(said: str, api: Api | None) -> str | None:
    """The sentence that says what to change, or None where the words are about no field that is sent."""
    named = set(_NAMES.findall(said))
    if not named or not (_REFUSES.search(said) or named == {"max_tokens", _INSTEAD}):
        return None
    if named >= _OF_CHANCE:
        return "Set sampling.top_p to 1 (or sampling.temperature to 1): this model takes only one of the two."
    refused = named - {_INSTEAD} if "max_tokens" in named else named
    profile = _profile_without(refused, api.takes if api else "compatible")
    if profile:
        where = "Set api.profile" if api else "Name this model by `api` (url, model) instead of `weights`, with profile"
        return f"{where}: {profile}, with which {', '.join(sorted(refused))} is not sent."
    ours = sorted(refused & Sampling.model_fields.keys())
    if ours == ["temperature"] or ours == ["top_p"]:
        return f"Set sampling.{ours[0]} to 1: this model takes nothing else."
    return f"Remove sampling.{', sampling.'.join(ours)} from the recipe: this model does not take it." if ours else None


def _profile_without(refused: set[str], now: Profile) -> Profile | None:
    """The profile that sends none of these and most of all others; None where it is the recipe's to leave them out."""
    if not refused <= _BY_PROFILE:
        return None
    able = [profile for profile in TAKES if profile != now and not refused & _sent(profile)]
    return max(able, key=lambda profile: (not _sent(profile) & IDLE.keys(), len(_sent(profile))), default=None)


def _sent(profile: Profile) -> frozenset[str]:
    """The names under which a profile sends fields. One that only calls a field otherwise sends it: the refused name
    was no mistake of spelling, but for the two of one number that OpenAI has.
    """
    takes = TAKES[profile]
    called = CALLED.get(profile, {})
    if takes is None:
        return OURS | {_INSTEAD}
    spelt = {name for name, there in called.items() if there == _INSTEAD}
    return (takes | called.keys()) - spelt
