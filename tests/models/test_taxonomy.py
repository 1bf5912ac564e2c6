"""The list of loss reasons: what it promises, and how a mistake in a company's own file is told."""

from pathlib import Path

import pytest

from models.taxonomy import UNCLEAR, BrokenTaxonomy, UnknownReason, load_taxonomy

A_LINE = "{code: price, group: money, owner: both, recovery: nurture, ru: Дорого, en: Price, means: Too dear.}"
ANOTHER = A_LINE.replace("price", "timing")


def own_file(folder: Path, *lines: str, version: str = "3", groups: str = "{money: {ru: Деньги, en: Money}}") -> Path:
    body = "\n".join([f"version: {version}", f"groups: {groups}", "reasons:", *(f"  - {line}" for line in lines)])
    (folder / "own.yaml").write_text(body, "utf-8")
    return folder / "own.yaml"


def test_every_shipped_reason_has_an_owner_a_group_and_both_names():
    taxonomy = load_taxonomy()
    assert len(taxonomy.codes) == 21
    assert UNCLEAR in taxonomy.codes
    for code, reason in taxonomy.reasons.items():
        assert code == reason.code
        assert reason.group in taxonomy.groups
        assert reason.ru
        assert reason.en
        assert reason.means


def test_every_shipped_reason_is_in_the_starter_corpus():
    from training.labelled_notes import starter_notes

    assert {note.reason for note in starter_notes()} == set(load_taxonomy().codes)


def test_a_company_may_bring_its_own(tmp_path: Path):
    own = load_taxonomy(own_file(tmp_path, A_LINE, ANOTHER))
    assert (own.version, own.codes) == (3, ("price", "timing"))


def test_a_mistyped_code_is_told_with_the_nearest_one():
    with pytest.raises(UnknownReason) as told:
        load_taxonomy().reason("unreachible")
    assert str(told.value) == "'unreachible' is not in taxonomy version 1; did you mean 'unreachable'?"


BROKEN = [  # lines of the file, other parts, what the error says
    ([A_LINE, A_LINE], {}, "codes ['price'] stand there twice"),
    ([A_LINE, ANOTHER], {"groups": "{}"}, "groups ['money'] are used by reasons but not listed"),
    ([A_LINE, ANOTHER.replace("nurture", "pray")], {}, "reasons.1.recovery"),
    ([A_LINE, ANOTHER.replace("timing", "Timing!")], {}, "reasons.1.code"),
    ([A_LINE, ANOTHER.replace("means", "meaning")], {}, "reasons.1.means"),
    ([A_LINE], {}, "reasons"),
    ([A_LINE, ANOTHER], {"version": "0"}, "version"),
    ([A_LINE, ANOTHER], {"version": "two"}, "version"),
    (["{code: [", ANOTHER], {}, "is no YAML"),
]


@pytest.mark.parametrize(("lines", "parts", "told"), BROKEN, ids=[told for *_, told in BROKEN])
def test_a_broken_file_is_refused_with_the_place(lines: list[str], parts: dict[str, str], told: str, tmp_path: Path):
    with pytest.raises(BrokenTaxonomy) as error:
        load_taxonomy(own_file(tmp_path, *lines, **parts))
    assert told in str(error.value)
    assert "own.yaml" in str(error.value)


def test_the_shipped_taxonomy_cannot_be_changed_by_accident():
    with pytest.raises(TypeError):
        load_taxonomy().reasons["price"] = None  # type: ignore[index]
