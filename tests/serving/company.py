"""A made company of 600 leads for the tests of the API, with known rules, so that trees have something to say."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from features.contacts import ContactKeeper
from features.notes import clean_note
from features.records import Lead, LeadEvent, LossNote
from models.bundle import MANIFEST, Model, _digest, _version, save_bundle
from models.note_vectors import NoteVectors, learn_vocabulary
from models.reason_classifier import Coefficients, ReasonClassifier, ReasonSettings
from serving.settings import Settings

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

LEADS = 600
OPENED = datetime(2024, 1, 8, 9, tzinfo=UTC)
SECRET = "a secret for tests only"
KEEPER = ContactKeeper(SECRET.encode())
EVERY = timedelta(hours=20)  # a lead comes every twenty hours, at any hour of the day
CHANCE = {"рекомендация": 0.8, "вебинар": 0.45, "баннер": 0.1}  # of winning, by source
PHONES = ("+7 916 123-45-67", "8 (495) 123-45-67", "+1 650 253 0000", "123", None)
EMAILS = ("ivan.petrov@gmail.com", "ip@romashka.ru", "нет", None)
NAMES = ("Иван Петров", "Пётр Сидоров", None)
CALLS = ("no_answer", "busy", "voicemail", "answered", "call_back")
COMMENTS = ("Нужно 30 мест, созвонимся?", "просто смотрю, напишите на ivan.petrov@gmail.com", "", None)

NOTES = {  # reason: notes that a tiny reader of notes learns from
    "price": ["дорого", "слишком дорого для нас", "цена выше бюджета", "too expensive for us"],
    "competitor": ["взяли у конкурента", "ушли к конкуренту", "выбрали другого поставщика", "went with a competitor"],
    "went_silent": ["не берёт трубку", "пропал, не отвечает", "перестал отвечать", "stopped answering"],
}


@dataclass(frozen=True)
class Company:
    """What the CRM of the company knows."""

    leads: Sequence[Lead]
    events: Sequence[LeadEvent]
    notes: Sequence[LossNote]


def make_company(leads: int = LEADS, seed: int = 3) -> Company:
    """Every kind of field, contact and event is met; a referral with a large budget sells, a banner does not."""
    draw = random.Random(seed)
    made = [_lead(draw, number) for number in range(leads)]
    lives = [_life(draw, lead) for lead in made]
    return Company(made, [event for life in lives for event in life], [_note(life) for life in lives if _is_lost(life)])


def _lead(draw: random.Random, number: int) -> Lead:
    created = OPENED + number * EVERY + timedelta(seconds=draw.random() * 1e5)
    until = created + timedelta(days=draw.randrange(400))
    own = {
        "Отдел": draw.choice(["продажи", "логистика", "склад"]),
        "Сотрудников": draw.choice(["12", "1 200", "45,5"]),
        "Есть CRM": draw.choice(["да", "нет"]),
        "Договор до": f"{until:%d.%m.%Y}",
    }
    return Lead(
        lead_id=f"L{number:04d}",
        created_at=created,
        source=draw.choice(list(CHANCE)),
        region=draw.choice(["Москва", "Тула", "Казань"]),
        company_size=draw.choice(["1-10", "51-200", None]),
        budget=draw.choice([100_000, 1_000_000]),
        comment=draw.choice(COMMENTS),
        phone=draw.choice(PHONES),
        email=draw.choice(EMAILS),
        contact_name=draw.choice(NAMES),
        manager=draw.choice(["Анна", "Борис"]),
        custom={name: value for name, value in own.items() if draw.random() < 0.9},
    )


def _life(draw: random.Random, lead: Lead) -> list[LeadEvent]:
    """Touches, calls and a message, then the funnel as far as the lead goes; all within its first month."""
    assert lead.created_at is not None
    hours = iter(sorted(draw.uniform(0.1, 700) for _ in range(20)))

    def happened(kind: str, **said: Any) -> LeadEvent:
        assert lead.created_at is not None
        return LeadEvent.model_validate(
            {"lead_id": lead.lead_id, "kind": kind, "at": lead.created_at + timedelta(hours=next(hours)), **said}
        )

    life = [happened("touch", detail=draw.choice(["letter", "page", "webinar"])) for _ in range(draw.randrange(4))]
    life += [happened("call", detail=draw.choice(CALLS)) for _ in range(draw.randrange(1, 4))]
    life += [happened("message", detail="in")] * draw.randrange(2)
    if draw.random() > CHANCE[str(lead.source)] + (0.1 if lead.budget == 1_000_000 else -0.1):
        return [*life, happened("lost", stage=draw.choice(["lead", "qualified"]))]
    life += [happened("stage", stage="qualified"), happened("meeting")]
    if draw.random() < 0.2:
        life += [happened("lost", stage="meeting"), happened("reopened")]
    amount = Decimal(draw.randrange(1, 9)) * 100_000
    return [*life, happened("proposal", amount=amount), happened("won", amount=amount)]


def _is_lost(life: Sequence[LeadEvent]) -> bool:
    return life[-1].kind == "lost"


def _note(life: Sequence[LeadEvent]) -> LossNote:
    texts = [text for notes in NOTES.values() for text in notes]
    text = texts[len(life) % len(texts)]
    return LossNote(lead_id=life[-1].lead_id, written_at=life[-1].at, text=text, stage=life[-1].stage)


def tiny_reader() -> ReasonClassifier:
    """Reads NOTES right, and little else; made by hand, as fitting a real one takes ten seconds."""
    texts = [text for notes in NOTES.values() for text in notes]
    words = [[word.text for word in clean_note(text).words] for text in texts]
    vocabulary = learn_vocabulary(words, min_notes=1)
    is_of = np.array([[float(text in notes) for notes in NOTES.values()] for text in texts])
    by_words, by_grams = (4 * (rows.T @ is_of) for rows in NoteVectors(vocabulary).many(words))
    return ReasonClassifier(
        ReasonSettings(tuple(NOTES), 1, sharpness=1.0, sure_from=0.5, secondary_from=0.25),
        vocabulary,
        Coefficients(by_words, by_grams, np.zeros(len(NOTES))).on_grid(),
    )


def publish(model: Model, bundles: Path) -> str:
    """A bundle under its version, and the pointer on it, as a promotion leaves them."""
    folder = bundles / model.kind
    made = save_bundle(model, folder / "arriving")
    if not (folder / made.version).exists():
        (folder / "arriving").rename(folder / made.version)
    point(bundles, model.kind, made.version)
    return made.version


def point(bundles: Path, kind: str, version: object) -> None:
    """Replaces the pointer in one step."""
    arriving = bundles / kind / "champion.new"
    arriving.write_text(json.dumps({"version": version}), encoding="utf-8")
    arriving.replace(bundles / kind / "champion.json")


def sign_again(folder: Path) -> Path:
    """A manifest that fits the files as they are now: what an attacker, or a broken training, would write."""
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"] = {path.name: _digest(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}
    manifest["version"] = _version(manifest["kind"], manifest["files"])
    (folder / MANIFEST).write_text(json.dumps(manifest))
    signed = folder.with_name(manifest["version"])
    return folder if signed == folder else folder.rename(signed)


def settings_of(home: Path) -> Settings:
    return Settings(home=home, contact_secret=SECRET, _env_file=None)  # type: ignore[call-arg]


class Crm:
    """A CRM with a key that talks to the service; every answer is checked to be JSON of the right kind."""

    def __init__(self, client: "TestClient", key: str, home: Path) -> None:
        self.client = client
        self.key = key
        self.home = home

    def ask(self, method: str, path: str, body: Any = None, *, key: str | None = "", **more: Any) -> Any:
        """The answer; `body` is sent as it is when it is bytes, as JSON otherwise. `key=None` sends none."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {} if key is None else {"Authorization": f"Bearer {key or self.key}"}
        answer = self.client.request(method, path, content=content, headers=headers | more.pop("headers", {}), **more)
        if answer.status_code >= 400 and "acknowledged" not in answer.text:
            assert answer.headers["content-type"] == "application/problem+json"
            assert {"type", "title", "status", "detail"} <= set(answer.json())
            assert answer.json()["status"] == answer.status_code
        return answer

    def lead(self, **said: Any) -> Any:
        """Posts a lead and gives the recommendation."""
        answer = self.ask("POST", "/v1/leads", said)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def events(self, lead_id: str, *events: dict[str, Any]) -> Any:
        answer = self.ask("POST", f"/v1/leads/{lead_id}/events", {"events": list(events)})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def advice(self, lead_id: str, **query: Any) -> Any:
        answer = self.ask("GET", f"/v1/leads/{lead_id}/recommendation", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def note(self, text: str, **more: Any) -> Any:
        answer = self.ask("POST", "/v1/loss-notes", {"text": text, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ready(self) -> Any:
        return self.client.get("/readyz").json()
