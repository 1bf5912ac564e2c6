"""The closed list of loss reasons: who owns each, what to do with the lead next, and the rules between neighbours."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

SHIPPED = Path(__file__).with_name("loss_taxonomy.yaml")
UNCLEAR = "unclear"  # the text holds no reason; not the same as a model that is unsure

Owner = Literal["marketing", "sales", "both", "product", "customer"]
Recovery = Literal["none", "fix_data", "nurture", "call_back"]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Label = Annotated[str, Field(min_length=1, max_length=200)]


class BrokenTaxonomy(ValueError):
    """The file is no taxonomy: what came, what was expected."""


class UnknownReason(KeyError):
    """A code that the taxonomy does not hold."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Group:
    """A family of reasons, as the page shows it."""

    code: str
    ru: str
    en: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One code: `owner` is the department in whose zone the loss lies, `recovery` what to do with the lead next."""

    code: str
    group: str
    owner: Owner
    recovery: Recovery
    ru: str
    en: str
    means: str


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Groups and reasons by code, in the order of the file, with the rules that separate neighbours."""

    version: int
    groups: Mapping[str, Group]
    reasons: Mapping[str, Reason]
    rules: tuple[str, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(self.reasons)

    def reason(self, code: str) -> Reason:
        """The reason of a code; UnknownReason names the nearest code where there is one."""
        if code in self.reasons:
            return self.reasons[code]
        near = difflib.get_close_matches(code, self.reasons, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"its codes are {', '.join(self.reasons)}"
        raise UnknownReason(f"{code!r} is not in taxonomy version {self.version}; {hint}")


class _Lines(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _GroupLine(_Lines):
    ru: Label
    en: Label


class _ReasonLine(_Lines):
    code: Code
    group: Code
    owner: Owner
    recovery: Recovery
    ru: Label
    en: Label
    means: Annotated[str, Field(min_length=1, max_length=1_000)]


class _File(_Lines):
    version: Annotated[int, Field(ge=1, strict=True)]
    groups: dict[Code, _GroupLine]
    reasons: Annotated[list[_ReasonLine], Field(min_length=2)]
    rules: list[Annotated[str, Field(min_length=1, max_length=1_000)]] = []

    @model_validator(mode="after")
    def _holds_together(self) -> "_File":
        codes = [reason.code for reason in self.reasons]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"codes {twice} stand there twice; a code names one reason")
        if lost := sorted({reason.group for reason in self.reasons} - set(self.groups)):
            raise ValueError(f"groups {lost} are used by reasons but not listed under groups")
        return self


def load_taxonomy(path: Path | None = None) -> Taxonomy:
    """The shipped taxonomy, or a company's own file of the same form; BrokenTaxonomy says what is wrong with it.

    >>> load_taxonomy().reason("unreachible")
    Traceback (most recent call last):
    models.taxonomy.UnknownReason: 'unreachible' is not in taxonomy version 1; did you mean 'unreachable'?
    """
    path = path or SHIPPED
    try:
        file = _File.model_validate(_read_yaml(path))
    except ValidationError as error:
        raise BrokenTaxonomy(f"{path.name}: {_first_fault(error)}; see {SHIPPED.name} for an example") from None
    return Taxonomy(
        version=file.version,
        groups=MappingProxyType({code: Group(code, line.ru, line.en) for code, line in file.groups.items()}),
        reasons=MappingProxyType({line.code: Reason(**line.model_dump()) for line in file.reasons}),
        rules=tuple(file.rules),
    )


def _read_yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BrokenTaxonomy(f"{path.name} is no YAML file in UTF-8: {error}") from None


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    place = ".".join(map(str, fault["loc"])) or "the file"
    return f"{place}: {fault['msg']}"
