"""The licence of a whole: the most restrictive one wins, and a conflict is said, not hidden."""

from __future__ import annotations

import pytest

from tracemill.release.licences import family, normalised_licence, terms


@pytest.mark.parametrize(
    ("rows", "licence"),
    [
        pytest.param({"mit": 10}, "mit", id="one"),
        pytest.param({"mit": 10, "apache-2.0": 90}, "apache-2.0", id="among equals, the one with most rows"),
        pytest.param({"mit": 999, "cc-by-nc-4.0": 1}, "cc-by-nc-4.0", id="one non-commercial row is enough"),
        pytest.param({"cc-by-4.0": 5, "mit": 5}, "cc-by-4.0", id="attribution over none"),
        pytest.param({"cc-by-sa-4.0": 1, "cc-by-4.0": 5}, "cc-by-sa-4.0", id="share-alike over attribution"),
        pytest.param({"cc-by-nc-nd-4.0": 1, "cc-by-nc-4.0": 9}, "cc-by-nc-nd-4.0", id="no derivatives"),
        pytest.param({"mit": 9, "unknown": 1}, "unknown", id="a row without a licence grants nothing"),
        pytest.param({"mit": 9, "my-own-terms": 1}, "my-own-terms", id="a licence that nobody knows"),
        pytest.param({}, "unknown", id="no rows"),
    ],
)
def test_the_most_restrictive_licence_stands_for_the_whole(rows: dict[str, int], licence: str) -> None:
    assert terms(rows).licence == licence


def test_share_alike_beside_non_commercial_is_an_open_question() -> None:
    found = terms({"cc-by-sa-4.0": 3, "cc-by-nc-4.0": 2, "mit": 5})

    assert found.licence == "cc-by-nc-4.0"
    assert found.conflict == "cc-by-sa-4.0 rows ask to be shared under their own licence, not cc-by-nc-4.0"
    assert terms({"cc-by-sa-4.0": 3, "mit": 5}).conflict is None


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Apache-2.0", "apache-2.0"),
        (" CC BY NC 4.0 ", "cc-by-nc-4.0"),
        ("cc_by_sa_4.0", "cc-by-sa-4.0"),
        (None, "unknown"),
    ],
)
def test_one_licence_has_one_name(written: str | None, name: str) -> None:
    assert normalised_licence(written) == name


@pytest.mark.parametrize(
    ("licence", "kind"),
    [
        ("odc-by", "attribution"),
        ("gpl-3.0", "share-alike"),
        ("cc0-1.0", "permissive"),
        ("cc-by-nc-sa-4.0", "non-commercial"),
        ("llama3.1", "unknown"),
    ],
)
def test_families(licence: str, kind: str) -> None:
    assert family(licence) == kind
