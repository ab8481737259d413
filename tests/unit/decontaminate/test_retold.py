"""Exercises told three times: every telling has the same numbers, and what is no telling of an item says otherwise."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import pytest

from tracemill.decontaminate.retold import (
    CONTROLS,
    DRAWS,
    OTHER_NUMBERS,
    OTHER_QUESTION,
    TOLD,
    exercises,
    measured,
    retold,
)

PLACES = re.compile(r"\{(?:[a-d]|who|other)\}")
NUMBERS = re.compile(r"\d\d|[4-9](?!\d)")  # what is drawn; the 2 of a square is none


@pytest.mark.parametrize("number", range(len(exercises())))
def test_all_tellings_of_an_exercise_name_the_same_things(number: int) -> None:
    exercise = exercises()[number]
    assert set(exercise) == {"en", "again", "zh"}
    for asked in (1, 2):
        places = {name: set(PLACES.findall(said[0] + said[asked])) for name, said in exercise.items()}
        assert places["en"] == places["zh"] == places["again"], places
    assert len({said[1] for said in exercise.values()} | {said[2] for said in exercise.values()}) == 6
    assert re.search("[\u4e00-\u9fff]", "".join(exercise["zh"]))
    assert not re.search("[\u4e00-\u9fff]", "".join((*exercise["en"], *exercise["again"])))


@pytest.mark.parametrize("kind", TOLD)
def test_a_row_has_its_items_numbers_unless_it_is_to_have_others(kind: str) -> None:
    items, rows = retold(kind)
    assert len(items) == DRAWS * len(exercises())
    assert not PLACES.search("".join([*items.values(), *(row.text for row in rows)]))
    for row in rows:
        drawn, own = set(NUMBERS.findall(row.text)), set(NUMBERS.findall(items[row.item]))
        assert row.text != items[row.item]
        if row.kind == kind:
            assert drawn == own, row
        if row.kind == OTHER_NUMBERS:
            assert not drawn & own, row


def test_the_same_texts_come_again() -> None:
    assert [retold(kind) for kind in TOLD] == [retold(kind) for kind in TOLD]


def test_a_telling_counts_by_its_own_item_and_a_control_by_any() -> None:
    def anything_but_its_own(items: Mapping[str, str], texts: Sequence[str]) -> list[Collection[str]]:
        return [{"of another"} for _ in texts]

    each = DRAWS * len(exercises())
    found = {row["kind"]: (row["texts"], row["caught"]) for row in measured(anything_but_its_own)}
    assert found == dict.fromkeys(TOLD, (each, 0)) | dict.fromkeys(CONTROLS, (3 * each, 3 * each))
    assert found.keys() >= {OTHER_NUMBERS, OTHER_QUESTION}
