"""A mapping says what columns mean; a slip in it is told before a single row is read."""

from pathlib import Path

import pytest

from features.mapping import MappingError, load_mapping, mapping_of, shipped_mappings

LEADS = {"name": "ours", "columns": {"lead_id": "ID", "source": "Источник"}}

SLIPS = [  # what is written beside or instead of a good mapping, what is said
    ({"colums": {}}, "colums: no such key; did you mean 'columns'?"),
    ({"columns": {"sorce": "A", "lead_id": "ID"}}, "'sorce' is no field of table 'leads'; did you mean 'source'?"),
    ({"columns": {"source": "A"}}, r"table 'leads' needs \['lead_id'\]"),
    ({"name": "../x"}, "name: "),
    ({"table": "deals"}, "table: "),
    ({"timezone": "Moscow"}, "timezone: 'Moscow' is no time zone"),
    ({"delimiter": "::"}, "delimiter: "),
    ({"dates": "dd.mm"}, "dates: "),
    ({"order_by": "N", "columns": {"lead_id": "ID", "created_at": "D"}}, "order_by stands in where there is no date"),
    ({"columns": {"lead_id": "ID", "source": "#row"}}, "'source' cannot be '#row'"),
    ({"known_after": ["Источник"]}, "'Источник' is known_after, so not known in time, and also read as source"),
    ({"known_after": ["Итог"], "outcome": {"column": "Итог"}}, "'Итог' is also in known_after"),
    ({"custom": ["Теги"], "known_after": ["Теги"]}, "also read as custom"),
    ({"rename": {"Теги": "tags"}, "known_after": ["Теги"]}, "also read as custom"),
    ({"order_by": "Теги", "known_after": ["Теги"]}, "also read as order_by"),
    ({"outcome": {"column": "Источник"}}, "'Источник' is outcome, so not known in time, and also read as source"),
    ({"outcome": {"column": "Итог", "amount": "Источник"}}, "'Источник' is outcome"),
    ({"notes": {"text": "Источник"}}, "'Источник' is notes"),
    ({"events": [{"kind": "meeting", "at": "Источник"}]}, r"'Источник' is events \(meeting\)"),
    ({"ignore": ["Источник"]}, "'Источник' is also read"),
    ({"outcome": {"column": "Итог", "won": ["да"], "lost": ["да"]}}, r"\['да'\] cannot be both won and lost"),
    ({"events": [{"kind": "dinner", "at": "X"}]}, "events.0.kind"),
    (
        {"table": "spend", "columns": {"day": "D", "amount": "A"}, "order_by": "D"},
        r"\['order_by'\] belong to table 'leads'",
    ),
    ({"values": {"sorce": {}}}, "values: 'sorce' is no field"),
]


@pytest.mark.parametrize(("slip", "said"), SLIPS, ids=[str(each[0])[:50] for each in SLIPS])
def test_a_slip_is_told(slip: dict[str, object], said: str) -> None:
    with pytest.raises(MappingError, match=said) as caught:
        mapping_of(LEADS | slip, "ours.yaml")
    assert "ours.yaml" in str(caught.value)


BROKEN_FILES = [
    ("name: [", "is not YAML"),
    ("just text", "holds str, expected keys"),
    ("", "holds NoneType"),
    ("name: a\nname: b\ncolumns: {lead_id: ID}", "key 'name' stands twice"),
    ("name: !!python/object/apply:os.system ['true']", "is not YAML"),
]


@pytest.mark.parametrize(("text", "said"), BROKEN_FILES)
def test_a_file_that_is_no_mapping_is_told(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "ours.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError, match=said):
        load_mapping(path)


def test_an_unknown_name_lists_ours() -> None:
    with pytest.raises(MappingError, match=r"no mapping 'amo'.*ours are .*xeducation"):
        load_mapping("amo")


@pytest.mark.parametrize("name", shipped_mappings())
def test_every_shipped_mapping_loads_under_its_name(name: str) -> None:
    assert load_mapping(name).name == name


def test_ours_are_there() -> None:
    assert {"xeducation", "bank", "hillstrom"} <= set(shipped_mappings())


def test_the_nine_columns_known_later_are_named() -> None:
    assert len(load_mapping("xeducation").known_after) == 9


def test_headers_are_compared_as_people_see_them(tmp_path: Path) -> None:
    """A line break, two blanks or a non-breaking one in a header are one blank; a year is its digits."""
    path = tmp_path / "ours.yaml"
    path.write_text('name: ours\ncolumns: {lead_id: 2026, source: "Источник\\u00a0  лида"}\n', encoding="utf-8")
    assert load_mapping(path).columns == {"lead_id": "2026", "source": "Источник лида"}
