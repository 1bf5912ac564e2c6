"""What the review says in words: one line per word or sentence; texts_ru.py and texts_en.py fill them."""

from collections.abc import Mapping
from dataclasses import dataclass

Forms = tuple[str, ...]  # of a counted word: one, few and many in Russian; one and other in English


@dataclass(frozen=True)
class Texts:
    """Every word of the page; a language that lacks one does not start."""

    # Page
    title: str
    week: str
    other_language: str
    data_until: str
    footer: str

    # Counted words
    leads: Forms
    leads_genitive: Forms
    notes: Forms
    weeks: Forms
    notes_genitive: Forms
    numbers: Forms
    days: Forms

    # Names
    stages: Mapping[str, str]
    stage_heads: Mapping[str, str]  # with soft hyphens: a phone's column holds eight letters
    owners: Mapping[str, str]
    owners_zone: Mapping[str, str]
    unsure: str
    no_source: str
    no_manager: str
    unknown_lead: str
    others: str

    # Sentences: 1, what changed
    changed_leads: str
    changed_stage: str
    changed_reason: str
    nothing_changed: str
    nothing_to_compare: str
    of_leads: str
    of_stage: str
    of_reason: str
    see_funnel: str
    see_reasons: str
    see_notes: str
    # 2, where
    where: str
    where_two: str
    where_nobody: str
    where_no_notes: str
    # 3, what to do
    recovery: Mapping[str, str]
    task: Mapping[str, str]
    do_nothing: str
    do_write_notes: str

    # Funnel
    funnel: str
    funnel_says: str
    funnel_first_week: str
    no_leads: str
    stage: str
    this_week: str
    mean_before: str
    change: str
    was: str
    before_short: str
    change_short: str
    not_ripe: str
    not_ripe_says: str
    ripe_says: str
    in_the_end: str
    in_the_end_says: str
    by_source: str
    by_manager: str
    source: str
    manager: str
    few_says: str

    # Losses
    losses: str
    losses_says: str
    no_notes: str
    top_three: str
    by_owner: str
    by_reason: str
    by_stage: str
    rare: str
    not_met: str
    by_crm_reason: str
    by_crm_reason_says: str
    owner: str
    reason: str
    share: str
    nine_weeks: str
    main_reasons: str
    crm_reason: str
    notes_head: str
    leads_head: str
    examples: str
    examples_says: str
    owners_legend: str
    few: str

    # Trust
    trust: str
    trust_notes: str
    trust_sure: str
    trust_unsure: str
    trust_unclear: str
    trust_silent: str
    trust_silent_value: str
    trust_model: str
    trust_taxonomy: str
    version: str
    trust_until: str
    trust_undated: str
    nothing_dated: str
    how_to_read: str
    how_interval: str
    how_mark: str
    how_age: str
    how_owner: str
    interval: str
    legend_now: str
    legend_interval: str
    legend_before: str
    beyond_chance: str
    within_chance: str
