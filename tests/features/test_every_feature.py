"""No feature may see the future, and every feature gives the same answer wherever it is asked."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.contacts import ContactFacts
from features.feature_schema import Column, FeatureSchema, learn_schema
from features.field_types import FieldType
from features.lead_features import FEATURES, Feature
from features.lead_history import KeptLead, LeadHistory, LeadVersion
from features.records import CALL_OUTCOMES, EventKind, LeadEvent, Stage

MONDAY = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

moments = st.integers(-30 * 24, 120 * 24).map(lambda hours: MONDAY + timedelta(hours=hours))


def event(kind: EventKind, at: datetime | None, detail: str | None, amount: int) -> LeadEvent:
    return LeadEvent(
        lead_id="L1",
        kind=kind,
        at=at,
        stage=Stage.QUALIFIED if kind is EventKind.STAGE else None,
        detail=detail if kind is EventKind.CALL else "in" if kind is EventKind.MESSAGE else "page",
        amount=Decimal(amount) if kind is EventKind.PROPOSAL else None,
    )


events = st.lists(
    st.builds(event, st.sampled_from(EventKind), moments, st.sampled_from(CALL_OUTCOMES), st.integers(1, 9)),
    max_size=25,
)
LEAD = KeptLead(
    "L1",
    MONDAY,
    (
        LeadVersion(None, {"source": "вебинар", "budget": "100"}, ContactFacts(phone="mobile", phone_country="RU")),
        LeadVersion(MONDAY + timedelta(days=40), {"source": "вебинар", "budget": "900", "comment": "срочно"}),
    ),
)


def test_there_are_features() -> None:
    assert len(FEATURES) > 15
    assert len({feature.name for feature in FEATURES}) == len(FEATURES)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
@given(happened=events, days=st.integers(0, 60))
def test_does_not_see_the_future(feature: Feature, happened: list[LeadEvent], days: int) -> None:
    as_of = MONDAY + timedelta(days=days)
    known = [e for e in happened if e.at is not None and e.at <= as_of]
    young = KeptLead(LEAD.lead_id, LEAD.created_at, LEAD.versions[:1]) if days < 40 else LEAD
    assert feature(LeadHistory.at(LEAD, happened, as_of)) == feature(LeadHistory.at(young, known, as_of))


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
@given(happened=events)
def test_an_event_without_a_moment_is_in_no_history(feature: Feature, happened: list[LeadEvent]) -> None:
    undated = [e.model_copy(update={"at": None}) for e in happened]
    assert feature(LeadHistory.at(LEAD, undated, MONDAY)) == feature(LeadHistory.at(LEAD, (), MONDAY))


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
@given(happened=events, data=st.data())
def test_the_order_in_which_events_arrive_does_not_matter(
    feature: Feature, happened: list[LeadEvent], data: st.DataObject
) -> None:
    as_of = MONDAY + timedelta(days=60)
    shuffled = data.draw(st.permutations(happened))
    assert feature(LeadHistory.at(LEAD, happened, as_of)) == feature(LeadHistory.at(LEAD, shuffled, as_of))


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_a_lead_of_which_nothing_is_known_has_a_value_or_is_missing(feature: Feature) -> None:
    value = feature(LeadHistory("L1", None, None, {}))
    assert value is None or isinstance(value, str if feature.kind == "category" else float)


def a_history(**fields: str | float | bool) -> LeadHistory:
    return LeadHistory("L1", MONDAY, MONDAY, fields)


def test_custom_fields_take_part_without_code() -> None:
    leads = [
        a_history(Сотрудников=str(n), Отрасль=["ИТ", "Завод"][n % 2], Срочно=["да", "нет"][n % 2]) for n in range(60)
    ]
    schema = learn_schema(leads, {"Сотрудников": FieldType("number", decimal=",")})
    kinds = {column.name: (column.kind, column.field.kind if column.field else None) for column in schema.columns}
    assert kinds["field:Сотрудников"] == ("number", "number")
    assert kinds["field:Отрасль"] == ("category", "category")
    assert kinds["field:Срочно"] == ("number", "yes_no")


def test_a_field_that_names_the_lead_is_left_out() -> None:
    leads = [a_history(Договор=f"ДГ-{n}", Отрасль=["ИТ", "Завод"][n % 2]) for n in range(60)]
    schema = learn_schema(leads)
    assert [column.name for column in schema.columns] == ["field:Отрасль"]
    assert "Договор" in {field.field for field in schema.left_out}


def test_a_value_never_seen_shares_the_level_of_rare_ones_and_a_missing_one_is_missing() -> None:
    schema = learn_schema(
        [a_history(source=["вебинар", "реклама"][n % 2]) for n in range(40)] + [a_history(source="редкий")]
    )
    seen, rare, new, none = schema.matrix([a_history(source=s) for s in ("вебинар", "редкий", "новый")] + [a_history()])
    assert seen[0] > 0
    assert rare[0] == new[0] == 0
    assert none[0] != none[0]


def test_json_and_the_file_give_the_same_numbers() -> None:
    column = Column("field:Бюджет", "number", FieldType("number", decimal=","))
    schema = FeatureSchema([column])
    assert schema.row(a_history(Бюджет="1 250,5")) == schema.row(a_history(Бюджет=1250.5)) == [1250.5]


def test_a_schema_comes_back_from_json_as_it_was() -> None:
    schema = learn_schema([a_history(source=["вебинар", "реклама"][n % 2], Сумма=n * 1.5) for n in range(60)])
    again = FeatureSchema.from_json(schema.to_json())
    assert (again.columns, again.left_out) == (schema.columns, schema.left_out)


def test_two_proposals_of_one_moment_are_read_alike_whichever_came_first() -> None:
    small, large = (event(EventKind.PROPOSAL, MONDAY, None, amount) for amount in (1, 2))
    one_way, other_way = (LeadHistory.at(LEAD, pair, MONDAY) for pair in ((small, large), (large, small)))
    assert [feature(one_way) for feature in FEATURES] == [feature(other_way) for feature in FEATURES]
