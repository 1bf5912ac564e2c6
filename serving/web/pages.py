"""Pages that people open: the weekly review and its archive."""

import re
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, RedirectResponse, Response

from serving.errors import ApiProblem
from serving.schemas import Language
from serving.settings import Settings

REVIEW = re.compile(r"\d{4}-W\d{2}")


def add_pages(app: FastAPI, settings: Settings) -> None:
    """Adds the pages to the app; they hold no contacts and no names of customers."""

    @app.get("/", include_in_schema=False)
    def newest(lang: Language = "ru") -> Response:
        weeks = sorted(path.name.split(".")[0] for path in settings.reviews.glob(f"*.{lang}.html"))
        if not weeks:
            raise ApiProblem(404, "no-review", "There is no review yet", "run `leadloop weekly`")
        return RedirectResponse(f"/reviews/{weeks[-1]}.{lang}.html")

    @app.get("/reviews/{week}.{lang}.html", include_in_schema=False)
    def review(week: str, lang: Language) -> Response:
        path = settings.reviews / f"{week}.{lang}.html"
        if not REVIEW.fullmatch(week) or not Path(path).is_file():
            raise ApiProblem(404, "no-review", "There is no review of this week", "weeks are named like 2026-W46")
        return FileResponse(path, media_type="text/html; charset=utf-8")
