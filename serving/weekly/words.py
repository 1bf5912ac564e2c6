"""One language of the page: its words, its numbers, and the names of reasons, owners, stages, sources and managers."""

from dataclasses import dataclass

from models.taxonomy import Taxonomy
from serving.web.format import Format, Language, visible
from serving.weekly.reasons import UNSURE
from serving.weekly.texts import Texts
from serving.weekly.texts_en import EN
from serving.weekly.texts_ru import RU

TEXTS: dict[Language, Texts] = {"ru": RU, "en": EN}


@dataclass(frozen=True)
class Words:
    """`t` is what is said, `f` how numbers and dates are written."""

    t: Texts
    f: Format
    taxonomy: Taxonomy

    @classmethod
    def of(cls, lang: Language, taxonomy: Taxonomy) -> "Words":
        return cls(TEXTS[lang], Format(lang), taxonomy)

    def reason(self, code: str) -> str:
        """The name of a reason; a code that this taxonomy does not hold is its own name."""
        if code == UNSURE:
            return self.t.unsure
        known = self.taxonomy.reasons.get(code)
        if known is None:
            return visible(code)
        return known.ru if self.f.lang == "ru" else known.en

    def owner(self, owner: str) -> str:
        return self.t.owners[owner]

    def stage(self, stage: str | None) -> str:
        return self.t.unknown_lead if stage is None else self.t.stages[stage]

    def stage_head(self, stage: str | None) -> str:
        return self.t.unknown_lead if stage is None else self.t.stage_heads[stage]

    def source(self, name: str | None) -> str:
        return self._name(name, self.t.no_source)

    def manager(self, name: str | None) -> str:
        return self._name(name, self.t.no_manager)

    def crm_reason(self, name: str | None) -> str:
        return self._name(name, "—")

    @staticmethod
    def _name(name: str | None, nobody: str) -> str:
        """A name of which nothing visible is left is no name."""
        return nobody if name is None else visible(name).strip() or nobody
