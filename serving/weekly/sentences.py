"""The three sentences at the top of the page, in the words of a language."""

from dataclasses import dataclass

from markupsafe import Markup

from serving.weekly.headlines import Changed
from serving.weekly.rates import Compared
from serving.weekly.review import Review
from serving.weekly.words import Words


@dataclass(frozen=True)
class Sentence:
    """A sentence with its numbers, and the part of the page that holds the rows behind it."""

    text: Markup
    anchor: str
    see: str


def sentences(review: Review, words: Words) -> tuple[Sentence, Sentence, Sentence]:
    return what_changed(review, words), where_losses_lie(review, words), what_to_do(review, words)


def what_changed(review: Review, words: Words) -> Sentence:
    changed = review.headlines.changed
    if changed is None:
        return Sentence(_filled(words.t.nothing_to_compare), "funnel", words.t.see_funnel)
    place = ("reasons", words.t.see_reasons) if changed.kind == "reason" else ("funnel", words.t.see_funnel)
    if not changed.change.beyond_chance:
        compared = words.f.count(review.headlines.compared, words.t.numbers)
        said = _filled(
            words.t.nothing_changed, what=_what(changed, words), compared=compared, **_numbers(review, words)
        )
        return Sentence(said, *place)
    pattern = {"leads": words.t.changed_leads, "stage": words.t.changed_stage, "reason": words.t.changed_reason}
    said = _filled(pattern[changed.kind], name=_name(changed, words), **_numbers(review, words))
    return Sentence(said, *place)


def where_losses_lie(review: Review, words: Words) -> Sentence:
    found, losses = review.headlines, review.losses
    see = ("owners", words.t.see_reasons)
    if found.owner is None or found.owners_top_reason is None:
        notes = words.f.count(losses.notes, words.t.notes_genitive)
        said = words.t.where_nobody if losses.notes else words.t.where_no_notes
        return Sentence(_filled(said, notes=notes), *see)
    share, top = found.owner.share.now, found.owners_top_reason
    second = found.second_owner
    pattern = words.t.where_two if second else words.t.where
    said = _filled(
        pattern,
        zone=words.t.owners_zone[found.owner.owner],
        rate=words.f.percent(share.rate),
        count=words.f.number(share.count),
        of=words.f.number(share.of),
        interval=words.f.percents(share.interval),
        reason=words.reason(top.reason),
        reason_count=words.f.number(top.share.now.count),
        second_zone=words.t.owners_zone[second.owner] if second else "",
        second_rate=words.f.percent(second.share.now.rate) if second else "",
        second_count=words.f.number(second.share.now.count) if second else "",
    )
    return Sentence(said, *see)


def what_to_do(review: Review, words: Words) -> Sentence:
    """The recovery that the taxonomy gives for the most frequent reason."""
    row = review.headlines.act_on
    known = review.taxonomy.reasons.get(row.reason) if row else None
    if row is None or known is None:
        notes = words.f.count(review.losses.notes, words.t.notes)
        said = words.t.do_write_notes if review.losses.notes else words.t.do_nothing
        return Sentence(_filled(said, notes=notes), "trust", words.t.see_notes)
    said = _filled(
        words.t.recovery[known.recovery],
        reason=words.reason(row.reason),
        notes=words.f.count(row.share.now.count, words.t.notes),
    )
    said += Markup(" ") + _filled(words.t.task[row.owner])
    return Sentence(said, "examples", words.t.see_notes)


def _filled(pattern: str, **values: str) -> Markup:
    """A sentence of texts.py, whose <b> is ours, with values that are escaped whatever they hold."""
    return Markup(pattern).format(**values)  # noqa: S704


def _what(changed: Changed, words: Words) -> Markup:
    pattern = {"leads": words.t.of_leads, "stage": words.t.of_stage, "reason": words.t.of_reason}
    return _filled(pattern[changed.kind], name=_name(changed, words))


def _name(changed: Changed, words: Words) -> str:
    return words.reason(changed.name) if changed.kind == "reason" else words.t.stages.get(changed.name, "")


def _numbers(review: Review, words: Words) -> dict[str, str]:
    """Now, before, and the difference with its interval: in leads or in percentage points."""
    changed = review.headlines.changed
    assert changed is not None
    weeks = review.losses.weeks_before if changed.kind == "reason" else review.funnel.weeks_before
    change, f = changed.change, words.f
    said = {"weeks": f.count(weeks, words.t.weeks)}
    if changed.share is None:
        mean = sum(review.funnel.overall.leads_before) / weeks
        return said | {
            "now": f.number(review.funnel.overall.leads),
            "before": f.number(mean, 1),
            "difference": f.signed(change.difference, 1),
            "low": f.signed(change.low, 1),
            "high": f.signed(change.high, 1),
        }
    return (
        said
        | _shares(changed.share, words)
        | {
            "difference": f.points(change.difference),
            "low": f.points(change.low, unit=False),
            "high": f.points(change.high, unit=False),
        }
    )


def _shares(share: Compared, words: Words) -> dict[str, str]:
    return {
        "now": words.f.percent(share.now.rate),
        "count": words.f.number(share.now.count),
        "of": words.f.number(share.now.of),
        "before": words.f.percent(share.before.rate),
    }
