"""The sample store: what was once answered is found again, by anybody, however the parts came to lie there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracemill.engine.keys import keys_below
from tracemill.engine.objects import ObjectStore
from tracemill.engine.store import Store
from tracemill.models.request import Ask, Reply
from tracemill.models.samples import SampleStore

KEYS = [Ask("/v1/completions", {"prompt": f"p{n}"}).key("weights") for n in range(6)]


def reply(text: str) -> Reply:
    return Reply(text, "stop", 3, 5, 0.25, (-1.5, 3.0))


@pytest.fixture
def root(tmp_path: Path) -> ObjectStore:
    return Store.at(str(tmp_path), create=True)


def test_a_reply_comes_back_whole_and_only_for_its_own_weights(root: ObjectStore) -> None:
    SampleStore(root, "weights").add({KEYS[0]: reply("<think>é\x00</think>")}, "shard-a")
    assert SampleStore(root, "weights").find(KEYS, "shard-a") == {KEYS[0]: reply("<think>é\x00</think>")}
    assert SampleStore(root, "other weights").find(KEYS, "shard-a") == {}


def test_another_shards_answers_are_found_too(root: ObjectStore) -> None:
    samples = SampleStore(root, "weights")
    samples.add({KEYS[0]: reply("from a")}, "shard-a")
    samples.add({KEYS[1]: reply("from b")}, "shard-b")
    assert {k: r.text for k, r in samples.find(KEYS, "shard-b").items()} == {KEYS[0]: "from a", KEYS[1]: "from b"}


def test_a_key_paid_twice_reads_the_same_for_everybody_before_and_after_joining(root: ObjectStore) -> None:
    samples = SampleStore(root, "weights")
    samples.add({KEYS[0]: reply("first")}, "shard-a")
    samples.add({KEYS[0]: reply("second"), KEYS[1]: reply("x")}, "shard-a")
    before = samples.find(KEYS, "shard-a")
    samples.join("shard-a")
    assert len(keys_below(root, samples.folder)) == 1
    assert samples.find(KEYS, "shard-b") == before
    assert before[KEYS[0]].text == "first"


def test_joining_leaves_other_shards_alone_and_a_single_part_as_it_is(root: ObjectStore) -> None:
    samples = SampleStore(root, "weights")
    single = samples.add({KEYS[0]: reply("a")}, "shard-a")
    samples.add({KEYS[1]: reply("b")}, "shard-b")
    samples.join("shard-a")
    assert single in keys_below(root, samples.folder)
    assert len(keys_below(root, samples.folder)) == 2


def test_a_part_that_vanishes_between_listing_and_reading_was_joined_elsewhere(root: ObjectStore) -> None:
    class Vanishing(SampleStore):
        """Lists a part that another writer has meanwhile joined away, once."""

        ghosts = 1

        def _parts(self) -> list[str]:
            self.ghosts, ghost = self.ghosts - 1, self.ghosts > 0
            return [*super()._parts(), *([f"{self.folder}/shard-a-gone.parquet"] if ghost else [])]

    samples = Vanishing(root, "weights")
    samples.add({KEYS[0]: reply("a")}, "shard-a")
    assert set(samples.find(KEYS, "shard-a")) == {KEYS[0]}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Ask("/v1/completions", {"prompt": "p", "seed": 2}), id="another seed"),
        pytest.param(Ask("/v1/completions", {"prompt": "p", "seed": 1, "temperature": 0.7}), id="another temperature"),
        pytest.param(Ask("/v1/completions", {"prompt": "q", "seed": 1}), id="another prompt"),
        pytest.param(Ask("/v1/completions", {"prompt": "p", "seed": 1}, sample=1), id="another sample"),
        pytest.param(Ask("/v1/chat/completions", {"prompt": "p", "seed": 1}), id="another route"),
    ],
)
def test_whatever_changes_what_is_asked_changes_the_key(other: Ask) -> None:
    asked = Ask("/v1/completions", {"prompt": "p", "seed": 1})
    assert asked.key("w") == Ask("/v1/completions", {"seed": 1, "prompt": "p"}).key("w")
    assert other.key("w") != asked.key("w") != asked.key("other weights")
