"""The demo's second half: a lead is posted over HTTP, the week's tags are shown, and what to open is said."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import select

from features.store import Store
from features.store import tables as t
from models.taxonomy import load_taxonomy
from serving.schemas import LEAD_EXAMPLE
from serving.server import curl, post, running
from serving.settings import Settings
from serving.weekly.run import WeeklyRun

Say = Callable[[str], None]
NOTES_SHOWN = 5


def tour(settings: Settings, store: Store, week: WeeklyRun, key: str, *, serve: bool, say: Say = print) -> None:
    """Ends at once, or with `serve` when it is interrupted."""
    say("")
    _show_tags(store, week, say)
    with running(settings, settings.host, settings.port if serve else 0) as address:
        lead = {**LEAD_EXAMPLE, "created_at": datetime.now(UTC).isoformat()}
        answer = post(address, "/v1/leads", key, lead)
        say(f"\nPOST {address}/v1/leads answered:\n{json.dumps(answer, ensure_ascii=False, indent=1)}")
        say("\nOpen the week:")
        for page in week.pages:
            say(f"  {page.absolute().as_uri()}")
        if serve:
            say(f"  {address}/ (the same, served)\n\nTry a lead:\n  {curl(address, key)}")
            say(f"\nModels and runs: mlflow ui --backend-store-uri {settings.mlflow_uri}")
            say("Stop with Ctrl+C.")
            _until_interrupted()


def _show_tags(store: Store, week: WeeklyRun, say: Say) -> None:
    taxonomy = load_taxonomy()
    query = (
        select(t.loss_notes.c.text, t.note_tags.c.reason, t.note_tags.c.probability, t.note_tags.c.sure)
        .join(t.note_tags, t.note_tags.c.note_id == t.loss_notes.c.note_id)
        .where(t.note_tags.c.model_version == week.model_version)
        .where(t.loss_notes.c.written_at >= week.week.start, t.loss_notes.c.written_at < week.week.end)
        .order_by(t.loss_notes.c.written_at, t.loss_notes.c.note_id)
    )
    with store.engine.connect() as connection:
        tags = list(connection.execute(query))
    say(f"Week {week.week.name}: {len(tags)} loss notes tagged, {sum(tag.sure for tag in tags)} of them surely")
    for code, count in Counter(tag.reason for tag in tags).most_common():
        say(f"  {count:4d}  {taxonomy.reason(code).ru} ({code})")
    for tag in tags[:NOTES_SHOWN]:
        say(f"  «{tag.text[:90]}» → {tag.reason}, {tag.probability:.0%}{'' if tag.sure else ', not sure'}")


def _until_interrupted() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return
