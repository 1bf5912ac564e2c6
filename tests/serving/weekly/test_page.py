"""The page: one file that opens anywhere, says the same twice, and runs nothing that a stranger typed."""

import re
from html.parser import HTMLParser

import pytest

from serving.web.format import LANGUAGES
from serving.weekly.files import write_review
from serving.weekly.page import TEMPLATES, render, snippets
from serving.weekly.reasons import Example

ELEMENTS = set(
    "html head meta title style body main header section footer h1 h2 h3 h4 p small b a ol ul li table thead tbody tr "
    "th td span bdi i dl dt dd div blockquote mark svg rect line text".split()
)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</style><style>*{display:none}</style>",
    "javascript:alert(1)",
    "=cmd|' /C calc'!A1",
    "{{ 7 * 7 }}{% raw %}",
    "{0.__class__}{now}",
    "<b>жирный</b> &amp; \x85 ]]> -->",
    "Иван\u202egnp.exe\u2066",
    "a" + "\u0301" * 10_000,
    "\u200b\ufeff",
]


class Page(HTMLParser):
    """What a browser would build of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes what is not open"

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split()).replace("\xa0", " ")


@pytest.fixture
def store_url(tmp_path) -> str:
    """One kind of database is enough here: the page is made of a review and does not know where it came from."""
    return f"sqlite:///{tmp_path / 'store.db'}"


def read(review, lang="ru") -> Page:
    page = Page(render(review, lang))
    assert not page.open
    assert page.elements <= ELEMENTS
    return page


@pytest.fixture
def busy(company, week):
    """A week with a bit of everything, and the eight before it."""
    for ago in range(9):
        monday = week.before(ago).monday
        for number in range(6):
            stages = {"qualified": str(monday), "meeting": str(monday)} if number % 2 else {}
            company.lead(str(monday), source=("Ads", "SEO", None)[number % 3], manager="Анна", **stages)
        for note in ("слишком дорого", "не дозвонились", "обещали другое", "обещали бесплатно", "-", "номер?"):
            company.loss(str(monday), note, crm="Другое")
    return company.review(week)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_one_file_without_script_or_anything_from_elsewhere(busy, lang):
    html = render(busy, lang)
    page = read(busy, lang)
    assert len(html.encode()) < 2 * 2**20
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name in ("src", "srcset", "action")]
    links = [value for _, name, value in page.attributes if name in ("href", "xlink:href")]
    assert links
    assert all(re.fullmatch(r"#[a-z-]+|2026-W46\.(ru|en)\.html", link) for link in links)
    assert ("meta", "content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:") in page.attributes
    assert "url(" not in html
    assert "@import" not in html
    assert ("html", "lang", lang) in page.attributes


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_inner_link_leads_somewhere(busy, lang):
    page = read(busy, lang)
    anchors = {value for _, name, value in page.attributes if name == "id"}
    inner = {value[1:] for _, name, value in page.attributes if name == "href" and value.startswith("#")}
    assert inner <= anchors


def test_russian_reads_as_russian_and_english_as_english(busy):
    russian, english = read(busy, "ru").text, read(busy, "en").text
    assert "Неделя 46, 9–15 ноября 2026" in russian
    assert "Week 46, 9–15 November 2026" in english
    assert "в зоне маркетинга" in russian
    assert "Most losses lie with marketing" in english
    assert not re.search(r"\d\.\d+ ?%", russian)
    assert not re.search(r"\d,\d{1,2}%", english)
    assert not re.search(
        "[а-яё]{3}",
        english.replace("По-русски", "").split("How they write")[0].replace("Анна", "").replace("Другое", ""),
    )


def test_the_same_records_give_the_same_bytes(busy, company, week, tmp_path):
    first = {path.name: path.read_bytes() for path in write_review(busy, tmp_path / "one")}
    again = {path.name: path.read_bytes() for path in write_review(company.review(week), tmp_path / "two")}
    assert first == again
    assert set(first) == {
        f"2026-W46.{name}" for name in ("ru.html", "en.html", "funnel.csv", "reasons.csv", "owners.csv", "losses.csv")
    }


def test_a_failed_run_leaves_last_weeks_page_alone(busy, tmp_path, monkeypatch):
    write_review(busy, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr("serving.weekly.files.os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_review(busy, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


EMPTY = {  # what there is, what the page says of it
    "nothing": "нет ни одной записи с датой",
    "one lead": "Сравнивать пока не с чем",
    "old leads only": "За неделю не создано ни одного лида",
    "no notes": "За неделю не написано ни одной заметки о потере",
    "one note": "«Дорого» (1 заметка)",
    "unclear notes only": "не названа уверенно",
}


@pytest.mark.parametrize("what", EMPTY)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_weeks_with_next_to_nothing_read_sensibly(company, week, what, lang):
    if what == "one lead":
        company.lead("2026-11-10")
    if what in ("old leads only", "no notes", "one note"):
        company.lead("2026-09-01", qualified="2026-09-02")
    if what == "no notes":
        company.lead("2026-11-10")
    if what == "one note":
        company.loss("2026-11-10", "дорого")
    if what == "unclear notes only":
        company.loss("2026-11-10", "-")
        company.loss("2026-11-10", "дорого?")
    page = read(company.review(week), lang)
    assert "nan" not in page.text.lower()
    assert not re.search(r"\bNone\b(?! of)", page.text)
    if lang == "ru":
        assert EMPTY[what] in page.text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_hostile_names_and_notes_stay_text(company, week, tagger, lang, tmp_path):
    for number, text in enumerate(HOSTILE):
        company.lead("2026-11-10", source=text[:200], manager=text[:190], qualified="2026-11-11")
        company.loss("2026-11-10", f"дорого {text}", source=text[:200], crm=text[:199])
        company.loss("2026-11-10", f"{text} дорого {number}", source=text[:200])
    review = company.review(week, tagger)
    page = read(review, lang)  # `read` allows no element that the templates do not have
    assert "alert(1)" in page.text
    assert not {name for _, name, _ in page.attributes} & {"onerror", "onload", "src"}
    assert "49" not in [word.strip() for word in page.words]
    assert not set("\u202e\u2066\u200b\ufeff") & set(page.text)
    assert "\u0301" * 4 not in page.text
    for path in write_review(review, tmp_path):
        if path.suffix == ".csv":
            assert_no_live_formula(path.read_text("utf-8-sig"))


def assert_no_live_formula(table: str) -> None:
    import csv

    rows = list(csv.reader(table.splitlines()))
    assert len(rows) > 1
    for cell in (cell for row in rows for cell in row):
        is_number = re.fullmatch(r"-?\d+(\.\d+)?(e-\d+)?", cell)
        assert is_number or not cell.lstrip(" \"'").startswith(tuple("=+-@\t\r")) or cell.startswith("'")


def test_a_thousand_sources_do_not_make_a_thousand_rows(company, week):
    for number in range(40):
        company.lead("2026-11-10", source=f"источник {number:02}", manager=f"менеджер {number:02}")
        company.loss("2026-11-10", "дорого", source=f"источник {number:02}")
    text = read(company.review(week)).text
    assert "Показаны 12 из 40; все — в файле 2026-W46.funnel.csv." in text
    assert "Показаны 12 из 40; все — в файле 2026-W46.losses.csv." in text
    assert "источник 39" not in text.split("Как об этом пишут")[0]


def test_evidence_is_marked_where_it_stands_and_never_trusted(week):
    def example(text, *spans):
        return Example(text, spans, week.start, None, None)

    assert snippets(example("очень дорого им", (6, 12))) == [("очень ", False), ("дорого", True), (" им", False)]
    assert snippets(example("дорого", (0, 99), (3, 2), (-5, 2))) == [("дорого", True)]
    assert snippets(example("", (0, 1))) == []
    long = snippets(example("слово " * 200 + "дорого", (1200, 1206)))
    assert sum(len(text) for text, _ in long) <= 280
    assert long[-1][0].endswith("…")


# Contrast, as WCAG 2.2 counts it

PAIRS = [("ink", 7), ("soft", 4.5), ("accent", 4.5)] + [
    (owner, 4.5) for owner in ("marketing", "sales", "both", "product", "customer")
] + [("unknown", 3)]  # fmt: skip  # colours of text; `unknown` only draws


def themes() -> dict[str, dict[str, str]]:
    blocks = re.findall(r":root \{(.*?)\}", (TEMPLATES / "review.css.jinja").read_text("utf-8"), re.DOTALL)
    colours = [dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", block)) for block in blocks]
    return dict(zip(("light", "dark"), colours, strict=True))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("name", "least"), PAIRS, ids=[name for name, _ in PAIRS])
def test_every_colour_can_be_read(theme, name, least):
    colours = themes()[theme]
    for ground in ("panel", "paper"):
        assert contrast(colours[name], colours[ground]) >= least
    assert contrast(colours["ink"], colours["mark"]) >= 4.5


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
