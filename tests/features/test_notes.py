"""Notes as typed: what the model sees of them, and that nobody's phone or e-mail is left in what we store."""

import time
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.lemmas import lemma, lemmas_of_words
from features.notes import clean_note, detect_lang, mask_personal
from features.personal_data import MASKS
from features.records import NOTE_LIMIT

PERSONAL = [  # as typed, what must not survive
    ("тел 89123456789", "89123456789"),
    ("8 912 345 67 89 перезвонить", "912"),
    ("8-912-345-67-89", "345"),
    ("+7 912 345-67-89", "345"),
    ("+7(912)345-67-89", "345"),
    ("+7 (912) 345 67 89, Иван", "345"),
    ("8(912)3456789", "3456789"),
    ("8 (495) 123-45-67", "123"),
    ("8 (3452) 12-34-56", "3452"),
    ("+7-912-345-67-89", "345"),
    ("+79123456789", "79123456789"),
    ("79123456789", "79123456789"),
    ("9123456789", "9123456789"),
    ("912 345 67 89", "345"),
    ("912-345-67-89", "345"),
    ("(912) 345-67-89", "345"),
    ("8.912.345.67.89", "345"),
    ("8 800 555 35 35", "555"),
    ("8-800-555-35-35", "555"),
    ("городской 123-45-67", "123-45-67"),
    ("тел. 12-34-56", "12-34-56"),
    ("моб: 912 34 56 789", "789"),
    ("вотсап 9123456789", "9123456789"),
    ("WhatsApp +7 999 111 22 33", "111"),
    ("звонить на 84951234567 доб. 123", "123"),
    ("8 495 123-45-67 (доб 405)", "405"),
    ("+1 415 555 2671", "555"),
    ("+1 (415) 555-2671", "2671"),
    ("(415) 555-2671", "2671"),
    ("415-555-2671 ext. 12", "2671"),
    ("call 415.555.2671", "2671"),
    ("+44 20 7946 0958", "7946"),
    ("+44 7911 123456", "123456"),
    ("+49 30 901820", "901820"),
    ("+375 29 123-45-67", "123"),
    ("+380 44 123 45 67", "123"),
    ("+998 90 123 45 67", "123"),
    ("+7 701 123 45 67", "701"),
    ("его номер 8\u200b912\u200b3456789", "3456789"),
    ("８９１２３４５６７８９", "３４５６"),
    ("ivan@mail.ru", "ivan"),
    ("почта Ivan.Petrov+crm@my-company.co.uk, ждёт", "petrov"),
    ("<ivan@mail.ru>", "ivan"),
    ("ivan_petrov@bk.ru.", "ivan"),
    ("иван@почта.рф", "иван"),
    ("ivan @ mail.ru", "ivan"),
    ("ivan собака mail.ru", "ivan"),
    ("ivan(at)mail.ru", "ivan"),
    ("ivan [at] mail.ru", "ivan"),
    ("mailto:ivan@mail.ru", "ivan"),
    ("i\u00advan@mail.ru", "van"),
    ("https://vk.com/ivan.petrov", "ivan"),
    ("http://example.com/?phone=79123456789", "79123456789"),
    ("www.example.com/ivan", "ivan"),
    ("t.me/ivan_petrov", "ivan"),
    ("wa.me/79123456789", "79123456789"),
    ("пишите в телегу @ivan_petrov", "ivan"),
    ("карта 4276 3800 1234 5679", "4276"),
    ("карта 4276380012345679", "4276"),
    ("5536-9137-0000-0000 его карта", "5536"),
    ("паспорт 4510 123456", "123456"),
    ("паспорт 45 10 123456", "123456"),
    ("серия 4510 № 123456", "123456"),
    ("паспорт серия 4510 номер 123456", "123456"),
    ("passport AB1234567", "1234567"),
    ("СНИЛС 112-233-445 95", "445"),
    ("ИНН 500100732259", "500100732259"),
    ("счёт 40817810099910004312", "40817810"),
]

ORDINARY = [  # sums, dates, times, sizes: reasons and facts stand on them
    "просил скидку до 250 000 руб",
    "бюджет 1 500 000",
    "бюджет 1 500 000 рублей, у нас 2 100 000",
    "150 000-200 000 за всё",
    "от 150 000 до 200 000",
    "стоит 2500000 руб, дорого",
    "2500000р не потянет",
    "$1,250,000 is too much",
    "$5,000 a month",
    "за 1,2 млн",
    "300 тр максимум",
    "500к и ни рублём больше",
    "100-200 тыс",
    "перезвонить до 15.12",
    "с 01.02-10.02 в отпуске",
    "звонил 12.03.2025 15:30",
    "12.03.2025, 14.03.2025, 18.03.2025",
    "2025-03-12 не ответил",
    "с 10:30-12:00 занят",
    "работают 09:00-18:00 и 10:00-16:00",
    "сезон 2024-2025",
    "через 5-7 дней",
    "срок 30-45 дней",
    "нужно 120-150 м2",
    "звонили 8 раз, 3 дня подряд",
    "договор 123/45 от 12.03.2025",
    "дом 12, офис 405",
    "ГОСТ 12345-2018",
    "дороже на 15%",
    "10 шт по 12 000, 20 шт по 11 000",
    "в 2026 году",
    "Q2 2026",
    "размер 44-46",
    "напряжение 220-380 в",
    "ушли на amoCRM, там 1 299 за место",
    "цена 99 990 руб. против 89 990 руб.",
]


@pytest.mark.parametrize(("typed", "secret"), PERSONAL, ids=[typed for typed, _ in PERSONAL])
def test_nothing_personal_is_left(typed: str, secret: str):
    assert secret.lower() not in mask_personal(typed).lower()
    assert secret.lower() not in clean_note(typed).text
    assert any(f"<{kind}>" in mask_personal(typed) for kind in MASKS)


@pytest.mark.parametrize("typed", ORDINARY)
def test_sums_dates_and_sizes_survive(typed: str):
    assert mask_personal(typed) == typed


def test_the_lists_are_long_enough():
    assert len(PERSONAL) >= 60
    assert len(ORDINARY) >= 30


@pytest.mark.parametrize("typed", [typed for typed, _ in PERSONAL])
def test_a_masked_note_reads_like_the_note_itself_and_masking_twice_changes_nothing(typed: str):
    masked = mask_personal(typed)
    assert mask_personal(masked) == masked
    assert clean_note(masked).text == clean_note(typed).text


SAME = [  # however it is typed, the model reads the same
    (
        "Дорого",
        "ДОРОГО",
        "дорого ",
        "  дорого\n",
        "дорoго",
        "дoрoгo",
        "д0рого",
        "до\u200bрого",
        "\ufeffдорого",
        "ДОРОГО",
    ),
    ("ещё нет", "еще нет", "Ещё  нет", "ЕЩЁ НЕТ", "еще\u00a0нет", "ещё\tнет", "<p>ещё <b>нет</b></p>", "ещё&nbsp;нет"),
    ("новый офис", "новый офис", "нов\u202eый офис"),
    ("нужна CRM", "нужна СRM", "нужнa crm"),  # a Cyrillic С, a Latin a
]


@pytest.mark.parametrize("variants", SAME, ids=[variants[0] for variants in SAME])
def test_manner_of_typing_does_not_matter(variants: tuple[str, ...]):
    assert len({clean_note(variant).text for variant in variants}) == 1


def test_accents_typed_apart_are_one_letter_and_spans_point_into_the_note_as_typed():
    typed = "до\u200bрого\u200b, и\u0306од  есть"
    words = clean_note(typed).words
    assert [word.text for word in words] == ["дорого,", "йод", "есть"]
    assert [typed[word.start : word.end] for word in words] == ["до\u200bрого\u200b,", "и\u0306од", "есть"]


def test_a_long_note_is_cut_and_the_cut_is_said():
    note = clean_note("дорого " * 10_000)
    assert note.was_cut
    assert note.words[-1].end <= NOTE_LIMIT
    assert not clean_note("дорого").was_cut


LANGS = [
    ("дорого", "ru"),
    ("too expensive", "en"),
    ("ушли на HubSpot CRM", "ru"),
    ("went with Битрикс, cheaper for them", "en"),
    ("", "ru"),
    ("12345", "ru"),
]


@pytest.mark.parametrize(("text", "lang"), LANGS)
def test_language(text: str, lang: str):
    assert detect_lang(text) == lang


LEMMAS = [("договорились", "договориться"), ("ещё", "еще"), ("prices", "price"), ("called", "call"), ("15", "0")]


@pytest.mark.parametrize(("form", "expected"), LEMMAS)
def test_lemma(form: str, expected: str):
    assert lemma(form) == expected


def test_words_joined_by_signs_are_several_and_bare_signs_are_none():
    assert lemmas_of_words(["цена/качество,", "...", "crm-система"]) == [("цена", "качество"), (), ("crm", "система")]


@given(st.text())
@settings(max_examples=500, deadline=None)
def test_any_text_is_cleaned_and_its_spans_lie_inside_it_in_order(text: str):
    words = clean_note(text).words
    assert all(0 <= word.start < word.end <= len(text) for word in words)
    assert all(one.start <= two.start for one, two in pairwise(words))
    assert all(word.text and not any(letter.isspace() for letter in word.text) for word in words)
    mask_personal(text).encode()  # no lone surrogates are left
    assert unicodedata.is_normalized("NFC", mask_personal(text))


@given(st.from_regex(r"(\+7|8)[ -]?\(?9[0-9]{2}\)?[ -]?[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{2}", fullmatch=True), st.text())
@settings(max_examples=300, deadline=None)
def test_a_mobile_number_is_masked_in_whatever_company(phone: str, rest: str):
    assert phone not in mask_personal(f"{rest} , {phone} , {rest}"[-NOTE_LIMIT:])


HEAVY = [
    "a" * 10**7,
    "(" * 10**7,
    "1 " * 5 * 10**6,
    "1" * 10**7,
    "@" * 10**7,
    "a@" * 10**6,
    "+7(" * 10**6,
    "<a" * 10**6,
]
HEAVY += [
    "8-9" * 10**6,
    "www." * 10**6,
    "a." * 10**6,
    "тел " * 10**6,
    "12.12." * 10**6,
    "$1,111," * 10**6,
    "\u0306" * 10**6,
]


@pytest.mark.parametrize("text", HEAVY, ids=[text[:8] for text in HEAVY])
def test_ten_megabytes_of_anything_are_quick(text: str):
    begun = time.process_time()
    clean_note(text)
    mask_personal(text)
    assert time.process_time() - begun < 0.5
