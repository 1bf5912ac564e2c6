"""A phone and an e-mail become a few facts and a keyed hash: the same person is known again, nobody can be called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.contacts import ContactFacts, ContactKeeper

KEEPER = ContactKeeper(b"a secret for tests only")

PHONES = [  # as typed, what it is, whose
    ("8 (916) 123-45-67", "mobile", "RU"),
    ("+7 916 123-45-67", "mobile", "RU"),
    ("9161234567", "mobile", "RU"),
    ("89161234567 доб. 12", "mobile", "RU"),
    ("8 (495) 123-45-67", "fixed", "RU"),
    ("8 800 555 35 35", "other", "RU"),
    ("+7 701 123 45 67", "mobile", "KZ"),
    ("+380 50 123 45 67", "mobile", "UA"),
    ("+375 29 123-45-67", "mobile", "BY"),
    ("+1 650 253 0000", "mobile", "US"),
    ("+44 20 7946 0958", "fixed", "GB"),
    ("123", "invalid", None),
    ("нет телефона", "invalid", None),
    ("0000000000", "invalid", None),
    ("+7 916 123-45-6", "invalid", None),
    ("", "missing", None),
    ("   ", "missing", None),
    (None, "missing", None),
]

EMAILS = [  # as typed, what it is
    ("ivan@romashka.ru", "company"),
    ("Ivan.Petrov@GMAIL.com", "personal"),
    (" ivan@mail.ru ", "personal"),
    ("иван@почта.рф", "company"),
    ("ivan@yandex.ru", "personal"),
    ("ivan@", "invalid"),
    ("ivan", "invalid"),
    ("ivan@localhost", "invalid"),
    ("a@b@c.ru", "invalid"),
    ("ivan@exa mple.ru", "invalid"),
    ("", "missing"),
    (None, "missing"),
]


@pytest.mark.parametrize(("typed", "kind", "country"), PHONES)
def test_a_phone_is_told_by_its_kind_and_country(typed: str | None, kind: str, country: str | None) -> None:
    facts = KEEPER.facts(typed, None, None)
    assert (facts.phone, facts.phone_country) == (kind, country)
    assert (facts.phone_key is None) == (kind in ("invalid", "missing"))


@pytest.mark.parametrize(("typed", "kind"), EMAILS)
def test_an_address_is_told_by_its_kind(typed: str | None, kind: str) -> None:
    facts = KEEPER.facts(None, typed, None)
    assert facts.email == kind
    assert (facts.email_key is None) == (kind in ("invalid", "missing"))


def test_the_same_person_is_known_again_however_the_contact_is_typed() -> None:
    phones = {
        KEEPER.facts(typed, None, None).phone_key for typed in ("8 (916) 123-45-67", "+79161234567", "9161234567")
    }
    emails = {KEEPER.facts(None, typed, None).email_key for typed in ("Ivan@Romashka.RU", " ivan@romashka.ru")}
    assert len(phones) == len(emails) == 1
    assert None not in phones | emails


def test_another_company_cannot_tell_the_person_by_the_key() -> None:
    other = ContactKeeper(b"the secret of another")
    ours, theirs = (keeper.facts("+79161234567", "ivan@romashka.ru", None) for keeper in (KEEPER, other))
    assert set(ours.person_keys).isdisjoint(theirs.person_keys)
    assert len(ours.person_keys) == 2


def test_a_short_secret_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match="openssl rand"):
        ContactKeeper(b"short")


@pytest.mark.parametrize(("name", "said"), [("Иван", True), ("  ", False), ("", False), (None, False)])
def test_a_name_is_a_fact_and_is_not_kept(name: str | None, said: bool) -> None:
    assert KEEPER.facts(None, None, name) == ContactFacts(has_name=said)


@given(phone=st.text(max_size=60), email=st.text(max_size=60), name=st.text(max_size=20))
def test_whatever_is_typed_gives_facts_and_never_the_contact(phone: str, email: str, name: str) -> None:
    facts = KEEPER.facts(phone, email, name)
    assert facts.phone in ("missing", "invalid", "mobile", "fixed", "other")
    assert facts.email in ("missing", "invalid", "personal", "company")
    for key in facts.person_keys:
        assert len(key) == 64


@given(
    number=st.integers(9_000_000_000, 9_999_999_999),
    spelling=st.sampled_from(["+7{}", "8{}", "{}", "8 ({0[0]}) {0[1]}"]),
)
def test_no_digit_of_a_phone_is_in_its_facts(number: int, spelling: str) -> None:
    digits = str(number)
    typed = spelling.format((digits[:3], digits[3:])) if "[0]" in spelling else spelling.format(digits)
    facts = KEEPER.facts(typed, f"{digits}@mail.ru", None)
    assert digits not in repr(facts)
