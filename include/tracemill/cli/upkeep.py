"""`tracemill prune` and `tracemill retry`: room in a store, and another try for rows that the world refused."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer
from rich.filesize import decimal
from rich.markup import escape

from tracemill.cli.versions import out

if TYPE_CHECKING:
    from tracemill.upkeep.answers import Answers
    from tracemill.upkeep.pruning import Removable

Root = Annotated[str, typer.Argument(help="The store: a path or any fsspec URL, such as s3://bucket/prefix.")]
_SHOWN = 20  # names, unless --all
_ELSEWHERE = "If the runs kept their answers elsewhere (TRACEMILL_SAMPLES), set that variable as they did."


def prune(
    root: Root,
    yes: Annotated[bool, typer.Option("--yes", help="Remove. Without it, only say what would be removed.")] = False,
    earlier: Annotated[
        bool, typer.Option("--earlier-settings", help="Also shards of settings that are not the current ones.")
    ] = False,
    answers: Annotated[
        list[str] | None,
        typer.Option(metavar="MODEL", help="Also all paid answers of this model. May be repeated."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="List every object.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Remove what no manifest and no version of a store reaches. Says what it would do, unless --yes.

    What was written within the last day stays: a task may be about to seal it. Shards of earlier settings are kept, for
    settings that change back, and so are paid answers, unless you say so.

    Examples:

        tracemill prune var/store/demo/v1

        tracemill prune var/store/demo/v1 --yes

        tracemill prune s3://bucket/mine/v1 --earlier-settings --yes

        tracemill prune var/store/mine/v1 --answers r1
    """
    from tracemill.engine.keys import samples_root
    from tracemill.engine.resources import Resources
    from tracemill.engine.store import Store
    from tracemill.report.funnel import recipe_of
    from tracemill.upkeep.answers import answers_of, give_up
    from tracemill.upkeep.pruning import prune as run
    from tracemill.upkeep.pruning import removable

    store = Store.at(root)
    machine = Resources()
    if answers:
        machine = recipe_of(store).located(machine)
    found = removable(store, earlier=earlier)
    paid = [answers_of(model, recipe_of(store), store, machine) for model in answers or ()]
    place = samples_root(store, machine)
    if as_json:
        objects = [{"key": one.key, "bytes": one.bytes, "why": one.why} for one in found]
        given = [{"model": one.model, "bytes": one.bytes, "answers": one.answers, "money": one.money} for one in paid]
        print(json.dumps({"removed": yes, "objects": objects, "answers": given}))
    else:
        _say(found, everything)
        for one in paid:
            _warn(one, place.root, elsewhere=not f"{place.root}/".startswith(f"{store.root}/"))
    if not yes:
        if not as_json and (found or paid):
            out.print("Nothing was removed: --yes removes it.")
        return
    removed = list(run(store, found))
    gone = [key for one in paid for key in give_up(one, place)]
    freed = sum(one.bytes for one in removed) + sum(one.bytes for one in paid)
    if not as_json:
        out.print(f"Removed {len(removed) + len(gone):,} objects, {decimal(freed)}.")


def retry(
    root: Root,
    reason: Annotated[
        str,
        typer.Option(help="Why they were refused: poison, refused, too_long, unmeasured, content_filter, unknown."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which shards it is about; change nothing.")] = False,
) -> None:
    """Have the next run ask again for rows that the world refused; what else their shards were answered costs nothing.

    Their shards are unsealed. A version that was published stays as it is; the next one lists what came of it as added.

    Examples:

        tracemill retry --reason poison var/store/mine/v1

        tracemill retry --reason content_filter s3://bucket/mine/v1 --dry-run
    """
    from tracemill.engine.resources import Resources
    from tracemill.engine.store import Store
    from tracemill.report.funnel import recipe_of
    from tracemill.upkeep.retrying import REASONS, refused
    from tracemill.upkeep.retrying import retry as run

    store = Store.at(root)
    recipe = recipe_of(store)
    found = refused(reason, recipe, store)
    for one in found:
        out.print(f"{escape(one.step)} [{one.shard}]: {one.rows:,} rows, {escape(reason)}", soft_wrap=True)
    rows = sum(one.rows for one in found)
    if not found and (dry_run or not REASONS[reason]):
        out.print(f"No sealed shard has a row that was refused as {escape(reason)}.", soft_wrap=True)
    elif dry_run:
        out.print(f"{rows:,} rows in {len(found):,} shards would be asked again. Nothing was changed.")
    else:
        forgotten = run(reason, found, recipe, store, recipe.located(Resources()))
        more = f" {forgotten:,} stored answers were forgotten." if forgotten else ""
        if REASONS[reason] and not forgotten:
            more = f" No stored answer ended so. {_ELSEWHERE}"
        out.print(
            f"{len(found):,} shards are unsealed: the next run asks again for {rows:,} rows.{more}", soft_wrap=True
        )


def _say(found: list[Removable], everything: bool) -> None:
    if not found:
        out.print("Nothing to remove: a manifest or a version reaches all that is older than a day.")
        return
    for why, count in Counter(one.why for one in found).items():
        size = decimal(sum(one.bytes for one in found if one.why == why))
        out.print(f"{why}: {count:,} objects, {size}")
    largest = found if everything else sorted(found, key=lambda one: -one.bytes)[:_SHOWN]
    for one in largest:
        out.print(f"  {decimal(one.bytes):>10}  {escape(one.key)} ({one.why})", soft_wrap=True)
    if len(found) > len(largest):
        out.print(f"  ... and {len(found) - len(largest):,} more: --all lists them.")


def _warn(paid: Answers, place: str, elsewhere: bool) -> None:
    if not paid.answers:
        out.print(f"No answer of {escape(paid.model)} lies in {escape(place)}. {_ELSEWHERE}", soft_wrap=True)
        return
    cost = "" if paid.money is None else f", which cost {paid.money:.2f} {paid.currency}"
    tokens = paid.prompt_tokens + paid.completion_tokens
    out.print(
        f"[red]paid answers of {escape(paid.model)}: {paid.answers:,}, {decimal(paid.bytes)}, {tokens:,} tokens{cost}. "
        "Whoever asks for them again pays for them again.[/red]",
        soft_wrap=True,
    )
    if elsewhere:
        out.print("[red]They lie outside this store: other stores may use them, too.[/red]")


def mount(app: typer.Typer) -> None:
    """Make these commands commands of `app`."""
    for command in (prune, retry):
        app.command()(command)
