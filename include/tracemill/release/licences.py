"""Decides under which licence a release may go out: the most restrictive of its rows' licences, all of them listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

UNKNOWN = "unknown"

# What a licence family asks for, mildest first. The marks are read from the licence's own name; `nd` and anything
# unnamed forbid more than `nc` does, so they win.
_RESTRICTIONS = {
    "permissive": "keep the notices",
    "attribution": "name the authors",
    "share-alike": "share under the same licence",
    "non-commercial": "no commercial use",
    "no-derivatives": "no altered copies: ask the owner before publishing",
    "unknown": "nothing is granted: ask the owner before publishing",
}
_PERMISSIVE = {"mit", "apache-2.0", "cc0-1.0", "bsd-2-clause", "bsd-3-clause", "unlicense", "isc", "pddl"}
_ATTRIBUTION = {"cc-by", "odc-by", "cdla-permissive"}
_SHARE_ALIKE = {"cc-by-sa", "odbl", "gpl", "lgpl", "agpl", "cdla-sharing"}


@dataclass(frozen=True)
class Terms:
    """What the whole release is under: a licence name that one of its rows carries, and what that asks for."""

    licence: str
    restriction: str
    conflict: str | None


def terms(rows: Mapping[str, int]) -> Terms:
    """The terms for a release with that many rows per licence.

    The most restrictive family decides, within it the licence with most rows. `conflict` is a sentence when share-alike
    rows meet stricter ones: no licence satisfies both, which the publisher must settle.
    """
    if not rows:
        return Terms(UNKNOWN, _RESTRICTIONS["unknown"], None)
    order = list(_RESTRICTIONS)
    licence = max(rows, key=lambda name: (order.index(family(name)), rows[name], name))
    strictest = family(licence)
    shared = sorted(name for name in rows if family(name) == "share-alike" and strictest != "share-alike")
    conflict = f"{', '.join(shared)} rows ask to be shared under their own licence, not {licence}" if shared else None
    return Terms(licence, _RESTRICTIONS[strictest], conflict)


def normalised_licence(text: str | None) -> str:
    """A licence's usual name: lower case with hyphens; missing is `unknown`."""
    return (text or "").strip().lower().replace("_", "-").replace(" ", "-") or UNKNOWN


def family(licence: str) -> str:
    """The family of a normalised licence name; a name that none is known for is `unknown`."""
    parts = licence.split("-")
    if "nd" in parts:
        return "no-derivatives"
    if "nc" in parts:
        return "non-commercial"
    if any(licence.startswith(name) for name in _SHARE_ALIKE):
        return "share-alike"
    if any(licence.startswith(name) for name in _ATTRIBUTION):
        return "attribution"
    return "permissive" if licence in _PERMISSIVE else "unknown"
