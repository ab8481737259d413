"""Names the teachers that were asked nothing since no problem is of the groups that are routed to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tracemill.distill.step import Distill
from tracemill.engine.pipeline import PLAN
from tracemill.engine.runner import shard_count
from tracemill.engine.store import Store
from tracemill.recipe import Recipe

_SHOWN = 3


def idle_routes(recipe: Recipe, store: Store) -> Iterator[str]:
    """A sentence for each routed `distill` step that is sealed and has asked nobody: most often a word is misspelt.

    Reads ledgers of such steps alone.
    """
    shards = shard_count(store) if store.manifest(PLAN, 0) is not None else 0
    for name, step in recipe.steps.items():
        if not (isinstance(step, Distill) and step.scope.routes):
            continue
        sealed = [one for one in store.manifests((name, shard) for shard in range(shards)) if one is not None]
        if any(manifest.tables["generations"].rows for manifest in sealed):
            continue
        reasons = Counter[tuple[str, str]]()
        for manifest in sealed:
            rows = store.get_table(manifest.tables["ledger"], ["reason", "detail"])
            reasons.update(zip(rows["reason"].to_pylist(), rows["detail"].to_pylist(), strict=True))
        if reasons and {reason for reason, _ in reasons} == {"routed_away"}:
            kinds = "; ".join(detail for (_, detail), _ in reasons.most_common(_SHOWN))
            more = "; ..." if len(reasons) > _SHOWN else ""
            yield f"{name}: `where` and `unless` route none of {reasons.total():,} problems to it: {kinds}{more}"
