"""The weekly review as plain data: what the page and the tables show, nothing of how it looks."""

from dataclasses import dataclass
from datetime import datetime

from features.store import Store
from models.taxonomy import Taxonomy
from serving.weekly.funnel import Funnel, count_funnel
from serving.weekly.headlines import Headlines, find_headlines
from serving.weekly.queries import LostLeads, Undated, leads_lost, undated
from serving.weekly.reasons import LossReasons, count_reasons
from serving.weekly.tag import Tagger
from serving.weekly.week import Week


@dataclass(frozen=True)
class Trust:
    """What the page rests on. `lost` counts leads lost in the week and those about which nobody wrote."""

    snapshot: datetime | None
    model_version: str
    taxonomy_version: int
    lost: LostLeads
    undated: Undated


@dataclass(frozen=True)
class Review:
    """One week for the meeting of marketing and sales."""

    week: Week
    headlines: Headlines
    funnel: Funnel
    losses: LossReasons
    taxonomy: Taxonomy
    trust: Trust


def build_review(week: Week, store: Store, tagger: Tagger, taxonomy: Taxonomy) -> Review:
    """The review of a week whose notes are tagged; the same records give the same review."""
    snapshot = store.snapshot()
    funnel = count_funnel(week, store, snapshot or week.end)
    losses = count_reasons(week, store, tagger.version, taxonomy)
    with store.engine.connect() as connection:
        lost, without_moment = leads_lost(connection, week.start, week.end), undated(connection)
    return Review(
        week=week,
        headlines=find_headlines(funnel, losses),
        funnel=funnel,
        losses=losses,
        taxonomy=taxonomy,
        trust=Trust(snapshot, tagger.version, tagger.model.settings.taxonomy_version, lost, without_moment),
    )
