"""What the CRM sent is kept once, changes are remembered with their moment, and nobody's phone is in the database."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import inspect, text

from features.field_types import FieldType
from features.lead_history import LeadHistory
from features.records import EventKind, Lead, LeadEvent, LossNote, Spend, Stage
from features.store import Saved, Store, migrate, open_engine
from features.store.store import NoteTag
from features.store.tables import metadata

MONDAY = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
WEEK = timedelta(days=7)


def a_lead(**said: object) -> Lead:
    return Lead.model_validate({"lead_id": "L1", "created_at": MONDAY, "source": "вебинар", **said})


def test_the_same_lead_twice_changes_nothing(store: Store) -> None:
    assert store.save_leads([a_lead()]) == Saved(new=1)
    assert store.save_leads([a_lead(), a_lead()]) == Saved(same=2)


def test_a_later_change_is_not_seen_by_the_past(store: Store) -> None:
    store.save_leads([a_lead(budget="100")])
    assert store.save_leads([a_lead(budget="900")], known_at=MONDAY + WEEK) == Saved(changed=1)
    lead = store.lead("L1")
    assert lead is not None
    assert LeadHistory.at(lead, (), MONDAY).fields["budget"] == "100"
    assert LeadHistory.at(lead, (), MONDAY + 2 * WEEK).fields["budget"] == "900"


def test_what_a_later_record_leaves_out_stays(store: Store) -> None:
    store.save_leads([a_lead(budget="100", phone="+7 916 123-45-67")])
    store.save_leads([a_lead(region="Тула")])
    lead = store.lead("L1")
    assert lead is not None
    assert lead.versions[-1].fields == {"source": "вебинар", "budget": "100", "region": "Тула"}
    assert lead.versions[-1].contact.phone == "mobile"


def test_two_changes_in_one_file_make_two_versions(store: Store) -> None:
    assert store.save_leads([a_lead(budget="1"), a_lead(budget="2"), a_lead(budget="3")]) == Saved(new=1, changed=2)
    lead = store.lead("L1")
    assert lead is not None
    assert [version.fields["budget"] for version in lead.versions] == ["1", "2", "3"]


def test_events_come_back_as_they_were(store: Store) -> None:
    events = [
        LeadEvent(lead_id="L1", kind=EventKind.CALL, at=MONDAY, detail="no_answer", manager="Анна"),
        LeadEvent(lead_id="L1", kind=EventKind.STAGE, at=MONDAY + WEEK, stage=Stage.QUALIFIED),
        LeadEvent(lead_id="L1", kind=EventKind.WON, at=None, amount=Decimal("120000.50"), event_id="e7"),
    ]
    assert store.save_events(events) == Saved(new=3)
    assert store.save_events(events) == Saved(same=3)
    back = store.events_of("L1")
    assert {(e.kind, e.at, e.stage, e.detail, e.amount) for e in back} == {
        (e.kind, e.at, e.stage, e.detail, e.amount) for e in events
    }


def test_an_event_may_come_before_its_lead(store: Store) -> None:
    store.save_events([LeadEvent(lead_id="L1", kind=EventKind.TOUCH, at=MONDAY, detail="page")])
    store.save_leads([a_lead()])
    assert [(lead.lead_id, len(events)) for lead, events in store.leads_with_events()] == [("L1", 1)]


def test_leads_come_oldest_first_and_each_once(store: Store) -> None:
    store.save_leads(a_lead(lead_id=f"L{n}", created_at=MONDAY - n * WEEK) for n in range(1_205))
    ids = [lead.lead_id for lead, _ in store.leads_with_events()]
    assert ids == [f"L{n}" for n in reversed(range(1_205))]


def test_no_phone_and_no_mail_is_in_the_database(store: Store) -> None:
    store.save_leads(
        [
            a_lead(
                phone="8 (916) 123-45-67", email="ivan@example.org", comment="звоните 89161234567 или ivan@example.org"
            )
        ]
    )
    store.save_notes([LossNote(lead_id="L1", text="просил набрать +7 916 123 45 67", written_at=MONDAY)])
    held = everything_in(store)
    assert "9161234567" not in "".join(c for c in held if c.isdigit())
    assert "ivan@example.org" not in held


def everything_in(store: Store) -> str:
    with store.engine.connect() as connection:
        tables = [table for table in metadata.tables if table != "alembic"]
        return "\n".join(
            " ".join(str(cell) for cell in row)
            for table in tables
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        )


def test_the_same_person_is_known_again_by_another_spelling(store: Store) -> None:
    store.save_leads([a_lead(phone="8 (916) 123-45-67"), a_lead(lead_id="L2", phone="+79161234567")])
    first, second = store.lead("L1"), store.lead("L2")
    assert first is not None
    assert second is not None
    assert first.versions[0].contact.phone_key == second.versions[0].contact.phone_key


def test_a_note_is_tagged_once_per_model_version(store: Store) -> None:
    store.save_notes([LossNote(lead_id="L1", note_id="n1", text="дорого", written_at=MONDAY)])
    tag = NoteTag("n1", "price", 0.9, True, None, [("price", 0.9)], [(0, 6)])
    assert len(store.untagged_notes("m1", MONDAY, MONDAY + WEEK)) == 1
    assert store.save_tags([tag], "m1", 1) == Saved(new=1)
    assert store.save_tags([tag], "m1", 1) == Saved(same=1)
    assert store.untagged_notes("m1", MONDAY, MONDAY + WEEK) == []
    assert len(store.untagged_notes("m2", MONDAY, MONDAY + WEEK)) == 1


def test_spend_of_a_day_and_source_is_kept_once(store: Store) -> None:
    day = Spend(day=MONDAY.date(), source="Яндекс", amount=Decimal("1000"), visits=40)
    assert store.save_spend([day, day]) == Saved(new=1, same=1)


def test_field_types_are_remembered(store: Store) -> None:
    store.save_field_types({"Бюджет": FieldType("number", decimal=",")})
    store.save_field_types({"Бюджет": FieldType("category")})
    assert store.field_types() == {"Бюджет": FieldType("category")}


def test_the_schema_goes_up_and_down_and_equals_the_tables(store_url: str) -> None:
    engine = open_engine(store_url)
    migrate(engine)
    migrate(engine)
    found = {table: {column["name"] for column in inspect(engine).get_columns(table)} for table in metadata.tables}
    assert found == {name: {column.name for column in table.columns} for name, table in metadata.tables.items()}
    migrate(engine, "base")
    assert set(inspect(engine).get_table_names()) <= {"leadloop_schema"}
    engine.dispose()


def test_a_store_that_is_no_database_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a URL like"):
        open_engine("mysql://localhost/x")


def test_a_phone_in_any_field_is_masked_and_a_sum_is_not(store: Store) -> None:
    store.save_leads(
        [a_lead(custom={"Второй телефон": 79161234567, "Оборот": 15_000_000_000, "Как связаться": "8 916 123-45-67"})]
    )
    store.save_events([LeadEvent(lead_id="L1", kind=EventKind.TOUCH, at=MONDAY, detail="звонил с 8 916 123-45-67")])
    store.save_notes([LossNote(lead_id="L1", text="", crm_reason="другой номер +7 916 123 45 67", written_at=MONDAY)])
    assert "9161234567" not in "".join(c for c in everything_in(store) if c.isdigit())
    lead = store.lead("L1")
    assert lead is not None
    assert lead.versions[0].fields["Оборот"] == 15_000_000_000
