"""The demo company is what its rules say: reproducible, whole, with a truth that its records show."""

import csv
import gzip
import hashlib
import io
from collections import Counter
from datetime import datetime, timedelta

import numpy as np
import openpyxl
import pandas as pd
import pytest

from features.exports import Rejected, read_export
from features.mapping import load_mapping
from features.records import CALL_OUTCOMES, KNOWN_FIELDS
from training import demo_rules as rules
from training.demo_company import KNOWN_AFTER, make_company, without_patterns
from training.demo_export import CATEGORIES, cp1251, export_company
from training.demo_facts import facts_of
from training.demo_leads import draw_leads
from training.demo_notes import voice
from training.demo_truth import freshness, true_chances


@pytest.fixture(scope="module")
def company():
    """The company as the demo makes it."""
    return make_company()


@pytest.fixture(scope="module")
def small():
    return make_company(seed=11, leads=1_500)


@pytest.fixture(scope="module")
def files(small, tmp_path_factory):
    return export_company(small, tmp_path_factory.mktemp("crm"))


@pytest.fixture(scope="module")
def leads(company):
    """Fields of the leads beside their truth."""
    fields = pd.DataFrame([lead.model_dump() for lead in company.leads]).drop(columns=["custom"])
    return fields.merge(company.truth, on="lead_id", validate="one_to_one")


def digests(company, folder):
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path, _ in export_company(company, folder)]


# The company as a whole


def test_it_has_had_twenty_thousand_leads(company):
    assert len({lead.lead_id for lead in company.leads}) == len(company.leads) == 20_000


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(tmp_path):
    first, again, other = (make_company(seed=seed, leads=300) for seed in (3, 3, 4))
    assert digests(first, tmp_path / "a") == digests(again, tmp_path / "b")
    assert first.truth.equals(again.truth)
    assert not set(digests(first, tmp_path / "a")) & set(digests(other, tmp_path / "c"))


def test_a_snapshot_without_time_zone_is_refused():
    with pytest.raises(ValueError, match="has no time zone"):
        make_company(leads=10, ends=datetime(2026, 11, 16))  # noqa: DTZ001


def test_nothing_lies_after_the_snapshot(company):
    assert max(lead.created_at for lead in company.leads) <= company.ends
    assert max(event.at for event in company.events) <= company.ends
    assert max(note.written_at for note in company.notes) <= company.ends
    assert max(row.day for row in company.spend) <= company.ends.date()
    assert min(lead.created_at for lead in company.leads) >= company.ends - rules.SPAN - timedelta(days=1)


def test_every_record_belongs_to_a_lead_and_has_its_own_name(company):
    ids = [lead.lead_id for lead in company.leads]
    assert len(set(ids)) == len(ids)
    for records, name in ((company.events, "event_id"), (company.notes, "note_id")):
        assert {record.lead_id for record in records} <= set(ids)
        assert len({getattr(record, name) for record in records}) == len(records)
    assert list(company.truth.lead_id) == ids
    assert list(company.note_truth.note_id) == [note.note_id for note in company.notes]


def test_only_touches_may_come_before_the_enquiry(company):
    created = {lead.lead_id: lead.created_at for lead in company.leads}
    early = Counter(event.kind.value for event in company.events if event.at < created[event.lead_id])
    assert set(early) == {"touch"}
    assert early["touch"] > 5_000


def test_every_kind_of_event_and_every_outcome_of_a_call_is_met(company):
    kinds = Counter(event.kind.value for event in company.events)
    assert (
        min(kinds[kind] for kind in ("touch", "stage", "call", "message", "meeting", "proposal", "won", "lost")) > 500
    )
    assert kinds["reopened"] > 100
    assert {event.detail for event in company.events if event.kind == "call"} == set(CALL_OUTCOMES)
    assert sum(event.stage == "repeat" for event in company.events) > 100


def test_every_known_field_and_every_type_of_custom_field_is_filled(company):
    filled = Counter(name for lead in company.leads for name in lead.fields())
    assert set(KNOWN_FIELDS) <= set(filled)
    assert {"Сотрудников в отделе", "Работаете с CRM", "Договор с поставщиком до", "GUID заявки"} <= set(filled)
    assert sum(lead.phone is None for lead in company.leads) > 500
    phones = Counter(lead.phone for lead in company.leads if lead.phone)
    assert sum(count > 1 for count in phones.values()) > 300, "some people write twice"


def test_the_last_weeks_are_as_full_as_a_weekly_page_needs(company):
    for week in range(4):
        until = company.ends - timedelta(weeks=week)
        since = until - timedelta(weeks=1)
        assert 150 < sum(since <= lead.created_at < until for lead in company.leads) < 320
        assert sum(since <= note.written_at < until and note.text != "" for note in company.notes) >= 100


def test_about_a_tenth_is_won_and_the_youngest_leads_are_unripe(company):
    truth = company.truth
    assert 0.08 < truth.won_90d[truth.ripe].mean() < 0.12
    assert 0.02 < 1 - truth.ripe.mean() < 0.10
    young = np.array([lead.created_at > company.ends - timedelta(weeks=2) for lead in company.leads])
    assert (~truth.ripe[young]).mean() > 0.5
    old = np.array([lead.created_at < company.ends - timedelta(days=rules.HORIZON_DAYS) for lead in company.leads])
    assert truth.ripe[old].all()


# Both potential outcomes


def test_what_happened_is_the_potential_outcome_of_what_was_done(company):
    truth = company.truth
    for horizon in ("", "_90d"):
        expected = np.where(truth.called, truth[f"y_if_called{horizon}"], truth[f"y_if_nurtured{horizon}"])
        assert (truth[f"won{horizon}"] == expected).all()
        assert truth[f"p_won_if_called{horizon}"].between(0, 1).all()
    won = {event.lead_id for event in company.events if event.kind == "won"}
    assert won <= set(truth.lead_id[truth.won]), "whoever is won in the CRM is won in truth"
    assert len(won) > 0.9 * truth.won.sum(), "the rest is won after the snapshot"


@pytest.mark.parametrize("action", ["called", "nurtured"])
@pytest.mark.parametrize("horizon", ["", "_90d"])
def test_the_true_probabilities_are_calibrated_and_tell_leads_apart(company, action, horizon):
    p, y = company.truth[f"p_won_if_{action}{horizon}"], company.truth[f"y_if_{action}{horizon}"]
    tenth = pd.qcut(p.rank(method="first"), 10, labels=False)
    told, seen = p.groupby(tenth).mean(), y.groupby(tenth).mean()
    noise = np.sqrt(told * (1 - told) / 2_000) + 0.002
    assert ((told - seen).abs() < 3.5 * noise).all()


def test_an_oracle_at_creation_is_good_but_no_prophet(company):
    truth = company.truth
    p = np.where(truth.called, truth.p_won_if_called_90d, truth.p_won_if_nurtured_90d)
    ranks = pd.Series(p).rank()
    won = truth.won_90d
    auc = (ranks[won].mean() - (won.sum() + 1) / 2) / (~won).sum()
    assert 0.79 < auc < 0.86


def test_calling_is_mostly_better_and_for_some_leads_worse(company):
    gain = company.truth.p_won_if_called - company.truth.p_won_if_nurtured
    assert gain.mean() > 0.02
    assert 0.05 < (gain < -0.005).mean() < 0.30


def test_the_past_policy_kept_to_its_propensities(company):
    for rule, rows in company.truth.groupby("policy_rule"):
        assert set(rows.propensity) == {rules.POLICY[rule]}
        assert rows.called.mean() == pytest.approx(rules.POLICY[rule], abs=4 * np.sqrt(0.25 / len(rows)))
    assert company.truth.propensity.between(0.05, 0.97).all()


def test_who_was_not_called_was_not_called(company):
    """A nurtured lead is called only after it has written again."""
    nurtured = set(company.truth.lead_id[~company.truth.called])
    wrote = {event.lead_id for event in company.events if event.kind == "message" and event.detail == "in"}
    assert {event.lead_id for event in company.events if event.kind == "call"} & nurtured <= wrote


def test_the_sooner_the_call_the_better():
    facts = facts_of(draw_leads(np.random.default_rng(1), 2_000, rules.ENDS), rules.ENDS)
    as_they_did, _ = true_chances(facts, np.random.default_rng(2), 20, call=True)
    at_once, _ = true_chances(facts, np.random.default_rng(2), 20, call=True, at_once=True)
    assert at_once.mean() > 1.05 * as_they_did.mean()
    left = freshness(np.linspace(0, 30, 200))
    assert (np.diff(left) <= 0).all()
    assert left[-1] == pytest.approx(rules.FRESH_FLOOR, abs=0.01)


def test_slow_answers_are_seen_in_the_records(leads):
    hours = leads.response_hours_if_called
    quick, slow = leads[leads.called & (hours < 1)], leads[leads.called & (hours > 24)]
    assert quick.won.mean() > 1.5 * slow.won.mean()


# What the weekly page has to find


@pytest.mark.parametrize("pattern", rules.PLANTED_PATTERNS, ids=lambda pattern: pattern.name)
def test_a_planted_pattern_shows_in_the_records(pattern, leads):
    inside = np.ones(len(leads), dtype=bool)
    for field, value in pattern.segment.items():
        inside &= (leads[field] == value).to_numpy()
    if pattern.since:
        inside &= (leads.created_at >= pattern.since).to_numpy()
    if pattern.friday_evening:
        moscow = leads.created_at.dt.tz_convert(rules.MOSCOW)
        inside &= ((moscow.dt.day_of_week == 4) & (moscow.dt.hour >= 15)).to_numpy()
    lost = leads.called & leads.stage_lost.isin(pattern.stages)
    share_inside = (leads.reason_true[lost & inside] == pattern.reason).mean()
    share_outside = (leads.reason_true[lost & ~inside] == pattern.reason).mean()
    assert (lost & inside).sum() >= 60
    assert share_inside > 4 * share_outside, (share_inside, share_outside)


def test_without_the_patterns_more_would_be_won(company):
    better = without_patterns(7, 20_000)
    planted = company.truth.pattern.notna()
    assert better.y_if_called[planted].mean() > company.truth.y_if_called[planted].mean() + 0.01
    assert (better.y_if_called[~planted] == company.truth.y_if_called[~planted]).all(), "the same luck elsewhere"
    assert set(company.truth.pattern.dropna()) == {pattern.name for pattern in rules.PLANTED_PATTERNS}


def test_one_source_fades(leads, company):
    display = leads[leads.source == "РСЯ"]
    older = display.created_at < company.ends - timedelta(days=364)
    assert display.p_won_if_called[~older].mean() < 0.75 * display.p_won_if_called[older].mean()
    referrals = leads[leads.source == "Рекомендация"]
    older = referrals.created_at < company.ends - timedelta(days=364)
    assert referrals.p_won_if_called[~older].mean() > 0.85 * referrals.p_won_if_called[older].mean()


def test_seasons_weekdays_and_holidays_show(leads):
    moscow = leads.created_at.dt.tz_convert(rules.MOSCOW)
    per_day = leads.groupby(moscow.dt.date).size()
    days = pd.to_datetime(pd.Series(per_day.index, index=per_day.index))
    assert per_day[days.dt.day_of_week < 5].mean() > 2 * per_day[days.dt.day_of_week >= 5].mean()
    holidays = (days.dt.month == 1) & (days.dt.day <= 8)
    assert per_day[holidays].mean() < 0.5 * per_day.mean()
    assert per_day[days.dt.month == 10].mean() > 1.2 * per_day[days.dt.month == 7].mean()
    assert moscow.dt.hour.between(8, 18).mean() > 0.7


def test_some_sources_earn_their_money_and_some_do_not(company):
    source = {lead.lead_id: lead.source for lead in company.leads}
    spent, earned = Counter(), Counter()
    for row in company.spend:
        spent[row.source] += float(row.amount)
    for event in company.events:
        if event.kind == "won":
            earned[source[event.lead_id]] += float(event.amount) * rules.MARGIN
    assert {name for name in spent if earned[name] < spent[name]} == {"VK Реклама", "LinkedIn"}
    assert sum(earned.values()) > 1.5 * sum(spent.values())


# Notes


def test_notes_come_from_the_voices_set_aside_only(company):
    voices = {voice(note_id) for note_id in company.note_truth.corpus_id.dropna()}
    assert voices == set(rules.DEMO_VOICES)


def test_what_a_note_tells_is_mostly_why_the_lead_was_lost(company):
    notes = company.note_truth
    told = notes[notes.reason_of_text.notna()]
    assert 0.03 < notes.reason_of_text.isna().mean() < 0.15, "some leave the note empty"
    assert set(told.reason_of_text) == set(rules.REASONS), "every code of the taxonomy is met"
    same = told.reason_of_text == told.reason_true
    assert (same | (told.reason_of_text == "unclear")).all()
    assert same.mean() > 0.85
    assert [note.text == "" for note in company.notes] == list(notes.reason_of_text.isna())


def test_the_drop_down_is_picked_by_habit(company):
    truth = company.note_truth.reason_true.map(rules.DROP_DOWN)
    right = pd.Series([note.crm_reason for note in company.notes]) == truth
    by_manager = right.groupby([note.manager for note in company.notes]).mean()
    assert 0.6 < right.mean() < 0.9
    assert by_manager["Рябов Сергей"] < 0.35
    assert by_manager["Белова Анна"] > 0.85


# The files of the CRM


def test_the_files_are_a_mess_of_several_kinds(files, small):
    by_name = {mapping: path for path, mapping in files}
    text = by_name["demo_leads"].read_bytes().decode("cp1251")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) - 1 > len(small.leads), "a few rows stand twice"
    assert "не указано" in text
    notes = by_name["demo_notes"].read_bytes().decode("cp1251")
    assert any("\n" in cell for row in csv.reader(io.StringIO(notes, newline=""), delimiter=";") for cell in row)
    events = gzip.decompress(by_name["demo_events"].read_bytes()).decode("utf-8-sig")
    assert events.count("\t") == 7 * events.count("\r\n")
    assert openpyxl.load_workbook(by_name["demo_spend"]).sheetnames == ["Титул", "Расходы"]


def test_two_columns_leak_the_outcome_and_the_mapping_says_so(files, small):
    table = pd.read_csv(files[0][0], sep=";", encoding="cp1251", dtype=str).drop_duplicates("ID")
    known = small.truth.ripe.to_numpy()
    bought = {event.lead_id for event in small.events if event.kind == "won"}
    won = table["ID"].isin(bought).to_numpy()[known]
    contract, reason = (table[name].notna().to_numpy()[known] for name in reversed(KNOWN_AFTER))
    assert contract[won].mean() > 0.8
    assert contract[~won].mean() == 0
    assert reason[won].mean() == 0
    assert reason[~won].mean() > 0.7
    assert load_mapping("demo_leads").known_after == KNOWN_AFTER


def test_the_mappings_read_everything_back(files, small):
    read = {mapping: list(read_export(path, load_mapping(mapping)).records()) for path, mapping in files}
    assert not [row for rows in read.values() for row in rows if isinstance(row, Rejected)]
    assert {event.event_id: event for event in read["demo_events"]} == {each.event_id: each for each in small.events}
    assert read["demo_spend"] == small.spend
    for note, back in zip(small.notes, read["demo_notes"], strict=True):
        assert back == note.model_copy(update={"text": cp1251(note.text)})
    back = {lead.lead_id: lead for lead in read["demo_leads"]}
    assert set(back) == {lead.lead_id for lead in small.leads}
    exact = (
        "created_at",
        "landing_page",
        "region",
        "company_size",
        "comment",
        "phone",
        "email",
        "manager",
        "contact_name",
    )
    for lead in small.leads:
        for name in exact:
            assert getattr(back[lead.lead_id], name) == getattr(lead, name), name
        for name in CATEGORIES:
            assert getattr(back[lead.lead_id], name).casefold() == getattr(lead, name).casefold(), name
        assert not set(back[lead.lead_id].custom) & {*KNOWN_AFTER, "GUID заявки"}
