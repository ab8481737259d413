"""Says on a release's card what trainers' templates make of its rows; a proof that fails ends the release."""

from __future__ import annotations

from pathlib import Path

from tracemill.engine.resources import Resources
from tracemill.release.markdown import cell, table
from tracemill.release.proof.survey import survey
from tracemill.release.proof.templates import TRL
from tracemill.release.proof.wanted import Proof, Proved, proved
from tracemill.release.trainers.opened import Opened, release_folder


class CardProof(Proof):
    """A proof of all rows on the card, and beside it (`survey`) trl's templates on 2,000 rows and every rare one."""

    survey: bool = True


def proof_section(wanted: CardProof, folder: Path, rows: int, resources: Resources) -> str:
    """The section of the card about the release in `folder`. Raises RecipeError for a broken limit of the recipe."""
    release = release_folder(folder)
    own = proved(wanted, release, rows, resources, lambda _: None)
    return f"### What a trainer learns\n\n{_own(own)}\n{_surveyed(release, wanted) if wanted.survey else ''}"


def _own(found: Proved) -> str:
    cut = "lengths not looked at" if found.plan.template.folder is None else f"cut at {found.plan.most or 0:,} tokens"
    said = (
        f"By the template {cell(found.name)} in the layout `{found.plan.layout}` ({cut}) thinking and answer of "
        f"{found.totals.whole:,} of {found.totals.rows:,} rows are in the loss, whole, and nothing of their earlier "
        "turns is (docs/design/training.md).\n"
    )
    return said + (f"\n{table(('fault', 'rows'), sorted(found.totals.faults.items()))}" if found.totals.faults else "")


def _surveyed(release: Opened, wanted: CardProof) -> str:
    lines = list(survey(release, None, wanted.prompt, None))
    rows = [(one.template, one.layout or "none", one.rows, one.whole, one.told) for one in lines]
    drawn = max((one.rows for one in lines), default=0)
    return (
        f"The templates that trl {TRL} ships, each in the layout that suits it, on {drawn:,} rows (2,000 by the digest "
        "of their ids, and every row of a rare shape):\n\n"
        f"{table(('template', 'layout', 'rows', 'whole', 'otherwise'), rows)}\n"
    )
