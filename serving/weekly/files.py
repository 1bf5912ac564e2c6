"""The review on disk: a page per language, a CSV per table; all are written before the first replaces an old one."""

import os
import shutil
import tempfile
from pathlib import Path

from serving.web.format import LANGUAGES
from serving.weekly.page import page_name, render
from serving.weekly.review import Review
from serving.weekly.tables import tables


def write_review(review: Review, folder: Path) -> list[Path]:
    """Writes `2026-W46.ru.html`, `2026-W46.en.html` and the tables; a failure leaves last time's files alone."""
    files = {page_name(review.week, lang): render(review, lang).encode() for lang in LANGUAGES}
    files |= {name: text.encode("utf-8-sig") for name, text in tables(review).items()}  # Excel needs the mark
    folder.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".review-", dir=folder))
    try:
        for name, body in files.items():
            _write_durably(made / name, body)
        return [(made / name).replace(folder / name) for name in files]
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _write_durably(path: Path, body: bytes) -> None:
    with path.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
