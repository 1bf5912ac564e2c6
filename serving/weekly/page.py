"""The review as one self-contained HTML page: no script, nothing loaded from elsewhere."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from models.taxonomy import UNCLEAR
from serving import web
from serving.web.format import LANGUAGES, NO_BREAK, Language, visible
from serving.weekly.rates import Compared, Share
from serving.weekly.reasons import FEW_NOTES, OWNERS, UNSURE, Example, LossReasons, ReasonRow, is_named, owner_of
from serving.weekly.review import Review
from serving.weekly.sentences import sentences
from serving.weekly.week import Week
from serving.weekly.words import Words

TEMPLATES = Path(web.__path__[0]) / "templates"
SHOWN_ROWS = 12  # sources or managers on the page: what an A4 sheet holds beside its heading; the tables hold all
SHOWN_REASONS = 10  # what is rarer stands in a line below
EXAMPLE_LIMIT = 280  # letters of a note: five lines on a phone
CEILINGS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)  # ends of an axis that divide into round ticks


@dataclass(frozen=True)
class Scale:
    """An axis from zero to a round number, and its ticks."""

    top: float

    @classmethod
    def over(cls, rates: Iterable[float]) -> "Scale":
        """
        >>> Scale.over([0.23, 0.07]).ticks, Scale.over([]).ticks
        ((0.0, 0.1, 0.2, 0.3), (0.0, 0.01, 0.02, 0.03, 0.04, 0.05))
        """
        highest = max(rates, default=0.0)
        return cls(next(ceiling for ceiling in CEILINGS if highest <= ceiling))

    @property
    def ticks(self) -> tuple[float, ...]:
        step = 0.01 if self.top <= 0.05 else 0.02 if self.top <= 0.1 else 0.05 if self.top <= 0.2 else 0.1
        step = 0.2 if self.top > 0.5 else step
        return tuple(round(step * tick, 2) for tick in range(round(self.top / step) + 1))

    def at(self, rate: float | None) -> str:
        """The place of a rate on the axis, in percent of its length."""
        return f"{min((rate or 0.0) / self.top, 1.0) * 100:.2f}"


@dataclass(frozen=True)
class HeatCell:
    """A share, and how dark it is drawn: 1 is the darkest of the table."""

    share: Share
    part: float

    @property
    def is_small(self) -> bool:
        return self.share.of < FEW_NOTES


def page_name(week: Week, lang: Language) -> str:
    return f"{week.name}.{lang}.html"


def render(review: Review, lang: Language) -> str:
    """The page in a language; the same review gives the same bytes."""
    words = Words.of(lang, review.taxonomy)
    other = next(each for each in LANGUAGES if each != lang)
    template = _templates().get_template("review.html.jinja")
    return template.render(lang=lang, other=other, other_page=page_name(review.week, other), **_shown(review, words))


def _shown(review: Review, words: Words) -> dict[str, object]:
    """What the template names: the review, its words, and what of it is drawn."""
    losses, shown = review.losses, _shown_reasons(review.losses)
    left = [row for row in losses.reasons if row not in shown]
    return {
        "review": review,
        "week": review.week,
        "funnel": review.funnel,
        "losses": losses,
        "trust": review.trust,
        "w": words,
        "t": words.t,
        "f": words.f,
        "sentences": sentences(review, words),
        "funnel_scale": Scale.over(_reach(stage.reached for stage in review.funnel.overall.stages)),
        "shown_owners": [row for row in losses.owners if row.share.now.count or _has_news(row.share)],
        "owner_scale": Scale.over(_reach(row.share for row in losses.owners)),
        "shown_reasons": shown,
        "reason_scale": Scale.over(_reach(row.share for row in shown)),
        "rare": [f"{words.reason(row.reason)}{NO_BREAK}{row.share.now.count}" for row in left if row.share.now.count],
        "not_met": [words.reason(row.reason) for row in left if not row.share.now.count],
        "heat": _heat(losses),
        "met_owners": _met_owners(losses),
        "top_three": sum((row.share.now for row in losses.named[:3]), Share(0, 0)).count,
        "known": _known(losses),
        "few": FEW_NOTES,
        "shown_rows": SHOWN_ROWS,
        "snippets": snippets,
        "owner_of": owner_of,
    }


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _reach(shares: Iterable[Compared]) -> list[float]:
    """How far bars, intervals and ticks go; an interval of nothing is not drawn."""
    drawn = [share for share in shares if share.now.of]
    return [bound for share in drawn for bound in (share.now.interval[1], share.before.rate or 0.0)]


def _heat(losses: LossReasons) -> list[tuple[str, list[HeatCell]]]:
    """The share of each reason in the losses of each stage; a stage of few notes has no colour and sets no scale."""
    met = [row.reason for row in losses.reasons if row.share.now.count]
    named = [reason for reason in met if is_named(reason)][:SHOWN_REASONS]
    shown = (*named, *(reason for reason in met if not is_named(reason)))
    stages = [(dict(stage.reasons), stage.notes) for stage in losses.by_stage]
    table = {reason: [Share(counts.get(reason, 0), notes) for counts, notes in stages] for reason in shown}
    top = max((share.rate or 0.0 for row in table.values() for share in row if share.of >= FEW_NOTES), default=1.0)
    return [
        (reason, [HeatCell(share, (share.rate or 0.0) / (top or 1.0)) for share in row])
        for reason, row in table.items()
    ]


def _has_news(share: Compared) -> bool:
    return share.change is not None and share.change.beyond_chance


def _shown_reasons(losses: LossReasons) -> list[ReasonRow]:
    """The most frequent ones, whatever else is news, and what nobody knows."""
    often = [row for row in losses.named if row.share.now.count][:SHOWN_REASONS]
    unknown = [row for row in losses.reasons if not is_named(row.reason) and row.share.now.count]
    return [row for row in losses.reasons if row in often or row in unknown or _has_news(row.share)]


def _met_owners(losses: LossReasons) -> list[str]:
    return sorted((row.owner for row in losses.owners if row.share.now.count), key=OWNERS.index)


def _known(losses: LossReasons) -> dict[str, Share]:
    """How much of the notes is known: tagged surely, unsure, without a reason."""
    count = {row.reason: row.share.now.count for row in losses.reasons}
    unsure = count.get(UNSURE, 0)
    return {
        "sure": Share(losses.notes - unsure, losses.notes),
        "unsure": Share(unsure, losses.notes),
        "unclear": Share(count.get(UNCLEAR, 0), losses.notes),
    }


def snippets(example: Example) -> list[tuple[str, bool]]:
    """The note in pieces, each with whether it is evidence; cut where a reader has understood.

    >>> from datetime import datetime
    >>> snippets(Example("дорого, взяли у других", ((0, 6),), datetime(2026, 11, 9), None, None))
    [('дорого', True), (', взяли у других', False)]
    """
    pieces = [(visible(text, EXAMPLE_LIMIT), marked) for text, marked in _pieces(example.text, example.evidence)]
    shown: list[tuple[str, bool]] = []
    left = EXAMPLE_LIMIT
    for text, marked in pieces:
        if left <= 0:
            break
        shown.append((visible(text, left), marked))
        left -= len(text)
    return [(text, marked) for text, marked in shown if text]


def _pieces(text: str, spans: Sequence[tuple[int, int]]) -> Iterable[tuple[str, bool]]:
    done = 0
    for start, end in _apart(spans, len(text)):
        yield text[done:start], False
        yield text[start:end], True
        done = end
    yield text[done:], False


def _apart(spans: Sequence[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """Spans that overlap, touch or lie outside the text are put right, not trusted."""
    apart: list[tuple[int, int]] = []
    for start, end in sorted((max(start, 0), min(end, length)) for start, end in spans):
        if start >= end:
            continue
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart
