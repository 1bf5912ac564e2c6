"""Phones and e-mails: checked, turned into keyed hashes and a few facts, and then forgotten."""

import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumberType

PhoneKind = Literal["missing", "invalid", "mobile", "fixed", "other"]
EmailKind = Literal["missing", "invalid", "personal", "company"]

# Mail services where private people keep their boxes; any other domain is taken as a company's.
PERSONAL_MAIL = frozenset(
    """
    gmail.com googlemail.com mail.ru bk.ru inbox.ru list.ru internet.ru yandex.ru ya.ru yandex.com yandex.by yandex.kz
    rambler.ru lenta.ru autorambler.ru outlook.com hotmail.com live.com msn.com yahoo.com ymail.com icloud.com me.com
    mac.com proton.me protonmail.com aol.com gmx.com gmx.de tut.by ukr.net web.de mail.com vk.com
    """.split()
)


@dataclass(frozen=True)
class ContactFacts:
    """What stays of a contact: whether it can be reached, and keys that tell the same person again.

    A key is HMAC-SHA256 with the deployment's secret: a bare hash of a phone is undone by trying all 10**10 numbers.
    """

    phone: PhoneKind = "missing"
    phone_country: str | None = None
    phone_key: str | None = None
    email: EmailKind = "missing"
    email_key: str | None = None
    has_name: bool = False

    @property
    def person_keys(self) -> tuple[str, ...]:
        return tuple(key for key in (self.phone_key, self.email_key) if key)


class ContactKeeper:
    """Turns raw contacts into facts with the secret of this deployment."""

    def __init__(self, secret: bytes, default_country: str = "RU") -> None:
        if len(secret) < 16:
            raise ValueError("the contact secret has fewer than 16 bytes; make one with `openssl rand -hex 32`")
        self._secret = secret
        self._country = default_country

    def facts(self, phone: str | None, email: str | None, name: str | None) -> ContactFacts:
        """Facts of one contact; a missing or empty value is "missing", an unusable one "invalid"."""
        phone_kind, country, e164 = _phone(phone or "", self._country)
        email_kind, address = _email(email or "")
        return ContactFacts(
            phone=phone_kind,
            phone_country=country,
            phone_key=self._key("phone", e164),
            email=email_kind,
            email_key=self._key("email", address),
            has_name=bool(name and name.strip()),
        )

    def _key(self, kind: str, value: str | None) -> str | None:
        if value is None:
            return None
        return hmac.new(self._secret, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()


def _phone(raw: str, country: str) -> tuple[PhoneKind, str | None, str | None]:
    if not raw.strip():
        return "missing", None, None
    try:
        number = phonenumbers.parse(raw, country)
    except phonenumbers.NumberParseException:
        return "invalid", None, None
    if not phonenumbers.is_valid_number(number):
        return "invalid", None, None
    kind = _PHONE_KINDS.get(phonenumbers.number_type(number), "other")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return kind, phonenumbers.region_code_for_number(number), e164


def is_phone(digits: str) -> bool:
    """Whether bare digits are a valid phone, Russian or with the code of its country.

    >>> is_phone("79161234567"), is_phone("9161234567"), is_phone("15000000000")
    (True, True, False)
    """
    return any(_phone(written, "RU")[0] in ("mobile", "fixed") for written in (digits, f"+{digits}"))


_PHONE_KINDS: dict[int, PhoneKind] = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "mobile",
}


@lru_cache(maxsize=4096)  # the validator takes 0.1 ms; a webhook and its retry name the same address
def _email(raw: str) -> tuple[EmailKind, str | None]:
    if not raw.strip():
        return "missing", None
    try:
        checked = validate_email(raw.strip(), check_deliverability=False)  # no DNS on the way of a lead
    except EmailNotValidError:
        return "invalid", None
    domain = checked.ascii_domain or checked.domain
    kind: EmailKind = "personal" if domain.lower() in PERSONAL_MAIL else "company"
    return kind, checked.normalized.casefold()
