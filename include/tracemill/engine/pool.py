"""Which responses a selection by difficulty may take: those that reached its first stage, whatever it then said."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from tracemill.engine.step import Inputs

FIRST = 1  # the stage whose rows in `stages` are all that entered it


def pool(inputs: Inputs, shard: int) -> pa.Array:
    """The ids of a shard's responses that live, and of those that the first stage alone turned away.

    A second stage, an export of everything and a control group choose from all of them. Their problems live.
    """
    alive = inputs.alive("generation", shard)
    entered = inputs.table("stages", ["generation_id", "problem_id", "stage", "chosen"], shard)
    left = entered.filter(pc.and_(pc.equal(entered["stage"], FIRST), pc.invert(entered["chosen"])))
    left = left.filter(pc.is_in(left["problem_id"], value_set=inputs.alive("problem", shard)))
    if left.num_rows == 0:
        return alive
    return pc.unique(pa.concat_arrays([alive, left["generation_id"].combine_chunks()]))
