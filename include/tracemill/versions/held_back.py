"""Names the problems for which the order of arrival decided: a run from scratch would keep them, this store does not.

Each is better than the kept row that it duplicates, but came later, and what was released once stays. If there are
none, the kept set is the one that a run from scratch over the same rows gives.
"""

from __future__ import annotations

import pyarrow as pa

from tracemill.engine.store import Manifest, Store
from tracemill.engine.tables import empty
from tracemill.recipe import Recipe

TABLE = "held_back"


def held_back(recipe: Recipe, store: Store) -> pa.Table:
    """The table `held_back` of the store's dedup; empty when nothing was clustered yet."""
    found = [store.get_table(manifest.tables[TABLE]) for manifest in _clustered(recipe, store)]
    return pa.concat_tables([empty(TABLE), *found])


def count_held_back(recipe: Recipe, store: Store) -> int:
    """How many they are, without reading them."""
    return sum(manifest.tables[TABLE].rows or 0 for manifest in _clustered(recipe, store))


def _clustered(recipe: Recipe, store: Store) -> list[Manifest]:
    steps = [name for name, step in recipe.pipeline().items() if TABLE in step.writes]
    found = [store.manifest(name, 0) for name in steps]
    return [manifest for manifest in found if manifest is not None and TABLE in manifest.tables]
