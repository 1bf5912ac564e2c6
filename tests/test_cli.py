"""What people type: every command explains itself, answers in a sentence or in JSON, and never shows a traceback."""

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from leadloop import MISTAKE, REFUSED, app

COMMANDS = [
    *("demo", "import", "train", "compare", "promote", "rollback", "serve", "weekly"),
    *("keys", "keys new", "keys revoke"),
]
MAPPING = """
name: shop
timezone: Europe/Moscow
columns: {lead_id: ID, created_at: Создан, source: Источник}
outcome: {column: Итог, won: [продажа], lost: [отказ], at: Закрыт}
"""
UNDATED = """
name: shop
columns: {lead_id: ID, source: Источник}
order_by: "#row"
custom: []
outcome: {column: Итог, won: [продажа], lost: [отказ]}
"""
HEADER = "ID;Создан;Источник;Итог;Закрыт"


class Said(NamedTuple):
    """A command's exit code and what it wrote where."""

    code: int
    out: str
    error: str

    @property
    def json(self) -> Any:
        return json.loads(self.out, parse_constant=_no_json)


def _no_json(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def type_in(command: str, *more: str | Path) -> Said:
    """Runs `leadloop <command>` in this process; whatever it raises besides an exit is the test's failure."""
    result = CliRunner().invoke(app, [*command.split(), *map(str, more)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a folder of one's own: no setting of the machine and no .env file reaches a test."""
    _only_this_home(tmp_path, monkeypatch)
    return tmp_path / "home"


def _only_this_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LEADLOOP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LEADLOOP_HOME", str(folder / "home"))
    monkeypatch.chdir(folder)


def made_up(leads: int, *, won: float = 0.3, signal: float = 0.0, seed: int = 1, start: int = 0) -> list[str]:
    """Rows over 14 months; `signal` is the share of won leads that come from «Рекомендация» more than of lost ones."""
    luck, rows = Random(seed), []
    for number in range(leads):
        came = datetime(2025, 1, 1) + timedelta(days=420 * number / leads, hours=luck.random() * 9)  # noqa: DTZ001
        is_won = luck.random() < won
        source = "Рекомендация" if luck.random() < 0.5 + (signal / 2 if is_won else -signal / 2) else "Реклама"
        closed = came + timedelta(days=20)
        outcome = "продажа" if is_won else "отказ"
        rows.append(f"L{start + number};{came:%d.%m.%Y %H:%M};{source};{outcome};{closed:%d.%m.%Y %H:%M}")
    return rows


def without(column: str, rows: list[str], instead: str = "") -> list[str]:
    place = HEADER.split(";").index(column)
    return [";".join(instead if at == place else cell for at, cell in enumerate(row.split(";"))) for row in rows]


def export(folder: Path, rows: list[str], mapping: str = MAPPING) -> tuple[Path, Path]:
    """A CRM's file as Excel writes it, and its mapping."""
    file, its_mapping = folder / "leads.csv", folder / "shop.yaml"
    file.write_text("\r\n".join([HEADER, *rows]) + "\r\n", encoding="cp1251")
    its_mapping.write_text(mapping, encoding="utf-8")
    return file, its_mapping


def imported(folder: Path, rows: list[str], mapping: str = MAPPING) -> Said:
    file, its_mapping = export(folder, rows, mapping)
    said = type_in("import", file, "--mapping", its_mapping)
    assert said.code == 0, said.error
    return said


# Every command explains itself


def test_all_commands_are_walked() -> None:
    groups = {group.name: group.typer_instance for group in app.registered_groups}
    assert groups
    own = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    theirs = [f"{name} {c.name}" for name, group in groups.items() if group for c in group.registered_commands]
    assert sorted(COMMANDS) == sorted([*own, *map(str, groups), *theirs])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(command: str) -> None:
    said = type_in(command, "--help")
    assert said.code == 0
    words = re.sub(r"[^\w\s.,;:]", " ", said.out.partition("Usage")[2])
    assert len(words.split()) > 12


def test_leadloop_alone_lists_the_commands() -> None:
    said = type_in("")
    assert all(command in said.out + said.error for command in COMMANDS if " " not in command)


# Import


def test_an_export_is_imported_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    rows = made_up(60)
    first = imported(tmp_path, rows).out
    assert "60 rows read" in first
    assert "cp1251, delimiter ';'" in first
    assert "Lead: 60 new, 0 changed, 0 already there" in first
    assert "LeadEvent: 60 new, 0 changed, 0 already there" in first
    second = imported(tmp_path, rows).out
    assert "Lead: 0 new, 0 changed, 60 already there" in second
    assert "LeadEvent: 0 new, 0 changed, 60 already there" in second


def test_rows_that_cannot_be_read_are_counted_explained_and_kept(tmp_path: Path, home: Path) -> None:
    said = imported(tmp_path, [*made_up(20), "L77;31.02.2025 10:00;SEO;;", "L78;oops"])
    assert "2 rows rejected" in said.out
    assert "31.02.2025" in said.out
    kept = (home / "rejected" / "leads.csv.rejected.csv").read_text(encoding="utf-8-sig")
    assert kept.splitlines()[0] == f"row;reason;{HEADER}"
    assert "L77" in kept
    assert "L78" in kept


def test_an_import_tells_a_program_the_same_as_json(tmp_path: Path) -> None:
    file, mapping = export(tmp_path, [*made_up(40), "L78;oops"])
    told = type_in("import", file, "--mapping", mapping, "--json").json
    assert (told["rows"], told["encoding"], told["saved"]["Lead"]["new"]) == (41, "cp1251", 40)
    assert sum(told["rejected"].values()) == 1
    assert told["types"]["source"]["kind"] == "category"


def test_a_column_that_knows_the_outcome_is_named_letter_by_letter(tmp_path: Path) -> None:
    """Brackets in names of files and columns are theirs, and no markup of ours."""
    rows = without("Источник", made_up(200))
    file, mapping = export(tmp_path, [row.replace(";;", ";a;" if "продажа" in row else ";b;") for row in rows], MAPPING)
    mapping.write_text(MAPPING.replace(", source: Источник", ""), encoding="utf-8")
    file.write_bytes(file.read_bytes().replace("Источник".encode("cp1251"), b"[/i] [bold]x"))
    file = file.rename(tmp_path / "[red]leads.csv")
    said = type_in("import", file, "--mapping", mapping)
    assert said.code == 0
    assert "[red]leads.csv by mapping shop" in said.out
    assert "may be known only after the outcome: [/i] [bold]x: alone it tells won from lost" in said.out


def test_a_guess_is_a_mapping_that_import_takes_and_stores_nothing(tmp_path: Path, home: Path) -> None:
    file, mapping = export(tmp_path, made_up(60))
    said = type_in("import", file, "--guess")
    assert said.code == 0
    assert "lead_id: ID" in said.out
    assert "# ?" in said.out
    assert not home.exists()
    mapping.write_text(said.out, encoding="utf-8")
    assert "60 new" in type_in("import", file, "--mapping", mapping).out


WRONG_IMPORTS = [  # what was typed, what the answer says
    (["no-such.csv", "--mapping", "shop.yaml"], "no-such.csv"),
    (["leads.csv"], "--guess"),
    (["leads.csv", "--mapping", "no-such.yaml"], "no mapping 'no-such.yaml'"),
    (["leads.csv", "--mapping", "xeducation"], "MissingColumns: the export lacks"),
    (["leads.csv", "--mapping", "typo.yaml"], "did you mean ['Источник']?"),
    (["leads.csv", "--mapping", "broken.yaml"], "is not YAML"),
    (["leads.csv", "--mapping", "strange.yaml"], "no such key; did you mean 'columns'?"),
    (["empty.csv", "--mapping", "shop.yaml"], "the file is empty"),
    (["picture.csv", "--mapping", "shop.yaml"], "RefusedFile: picture.csv"),
    (["picture.csv", "--guess"], "RefusedFile: picture.csv"),
    ([".", "--mapping", "shop.yaml"], "directory"),
]


@pytest.mark.parametrize(("typed", "answer"), WRONG_IMPORTS, ids=[" ".join(typed) for typed, _ in WRONG_IMPORTS])
def test_a_wrong_import_says_what_to_do_and_stores_nothing(
    tmp_path: Path, home: Path, typed: list[str], answer: str
) -> None:
    export(tmp_path, made_up(10))
    (tmp_path / "typo.yaml").write_text(MAPPING.replace("Источник", "Источнк"), encoding="utf-8")
    (tmp_path / "broken.yaml").write_text("name: [shop", encoding="utf-8")
    (tmp_path / "strange.yaml").write_text(MAPPING.replace("columns", "colums"), encoding="utf-8")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "picture.csv").write_bytes(bytes(range(256)) * 40)
    said = type_in("import", *typed)
    assert said.code == MISTAKE
    assert answer in " ".join(re.sub(r"[│╭╮╰╯─]", " ", said.error).split())
    assert said.out == ""
    assert not list(home.glob("rejected/*"))


# Settings and keys

WRONG_SETTINGS = [  # setting, value, what was typed, what the answer says
    ("LEADLOOP_PORT", "abc", "keys new crm", "the settings are wrong: port: Input should be a valid integer"),
    ("LEADLOOP_PORT", "abc", "keys revoke crm", "the settings are wrong: port: Input should be a valid integer"),
    ("LEADLOOP_PORT", "abc", "train conversion", "the settings are wrong: port"),
    ("LEADLOOP_STORE", "leadloop.db", "keys new crm", "expected one like sqlite:///leadloop.db or postgresql://"),
    ("LEADLOOP_STORE", "mysql://host/db", "keys new crm", "expected a URL like sqlite:///leadloop.db or postgresql"),
    ("LEADLOOP_STORE", "sqlite:///notes.txt", "keys new crm", "the store does not answer: file is not a database"),
    ("LEADLOOP_CONTACT_SECRET", "short", "keys new crm", "openssl rand -hex 32"),
    ("LEADLOOP_TIMEZONE", "Mars", "weekly --week 2026-W40", "No time zone found with key Mars; expected one such as"),
    ("LEADLOOP_MLFLOW", "http://me:word@127.0.0.1:9", "compare", "MLflow at http://…@127.0.0.1:9 does not answer"),
]


@pytest.mark.parametrize(
    ("name", "value", "typed", "answer"), WRONG_SETTINGS, ids=[f"{s[0]}={s[1]} {s[2]}" for s in WRONG_SETTINGS]
)
def test_a_wrong_setting_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, typed: str, answer: str
) -> None:
    (tmp_path / "notes.txt").write_text("a text that somebody took for a database\n" * 9, encoding="utf-8")
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    said = type_in(typed)
    assert said.code == MISTAKE
    assert answer in said.error
    assert len(said.error.strip().splitlines()) == 1
    assert "word" not in said.error
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8").startswith("a text")


def test_a_key_is_shown_once_and_can_be_revoked() -> None:
    made = type_in("keys new bitrix24")
    assert made.code == 0
    assert len(made.out.strip()) > 30
    again = type_in("keys new bitrix24")
    assert again.code == MISTAKE
    assert again.error == "there was a key under the name 'bitrix24' already; choose another, such as 'bitrix24-2'\n"
    assert type_in("keys new amocrm").out != made.out
    assert type_in("keys revoke amocrm").code == 0
    unknown = type_in("keys revoke hubspot")
    assert unknown.code == MISTAKE
    assert unknown.error == "there is no key under the name 'hubspot'\n"


# From a history to a champion and back; MLflow's tables are made once, which takes seconds


@pytest.fixture(scope="module")
def mlflow_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from training.registry import Registry

    made = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    Registry(f"sqlite:///{made}")
    return made


@pytest.fixture
def mlflow(mlflow_tables: Path, home: Path) -> None:
    home.mkdir(exist_ok=True)
    shutil.copy(mlflow_tables, home / "mlflow.db")


@pytest.mark.parametrize(
    ("typed", "code", "answer"),
    [
        ("compare", MISTAKE, "there is no challenger for conversion; run `leadloop train conversion` first"),
        ("promote", MISTAKE, "there is no challenger for conversion; run `leadloop train conversion` first"),
        ("rollback", REFUSED, "there is no previous champion of conversion to go back to"),
        ("weekly", MISTAKE, "no reason model serves"),
        ("weekly --week 2026-99", MISTAKE, "'2026-99' is no week: expected a year and an ISO week, like 2026-W46"),
        ("weekly --week 2026-W46", MISTAKE, "run `leadloop train reasons`, then `leadloop promote"),
    ],
)
def test_before_the_first_model_each_command_says_what_comes_first(
    mlflow: None, typed: str, code: int, answer: str
) -> None:
    said = type_in(typed)
    assert (said.code, said.out) == (code, "")
    assert answer in said.error
    assert len(said.error.strip().splitlines()) == 1


LEADS = made_up(400)
POOR = [  # a history, its rows, their mapping, whether promoting the prior is allowed
    ("no leads", [], MAPPING, False),
    ("one lead", made_up(1), MAPPING, False),
    ("ten leads", made_up(10), MAPPING, True),
    ("all won", made_up(300, won=1), MAPPING, True),
    ("all lost", made_up(300, won=0), MAPPING, False),
    ("no outcome", without("Закрыт", without("Итог", made_up(300))), MAPPING, False),
    ("nothing filled", without("Источник", LEADS), MAPPING, True),
    ("always the same", without("Источник", LEADS, "SEO"), MAPPING, True),
    ("no dates", LEADS, UNDATED, True),
    ("no dates and no outcome", without("Итог", LEADS), UNDATED, False),
    ("all on one day", without("Закрыт", without("Создан", LEADS, "01.12.2024 10:00")), MAPPING, True),
]


@pytest.mark.parametrize(("rows", "mapping", "promotes"), [each[1:] for each in POOR], ids=[each[0] for each in POOR])
def test_a_poor_history_gives_the_prior_and_says_so(
    mlflow: None, tmp_path: Path, home: Path, rows: list[str], mapping: str, promotes: bool
) -> None:
    if rows:
        imported(tmp_path, rows, mapping)
    trained = type_in("train conversion --json")
    assert trained.code == 0
    (warning,) = [each for each in trained.json["warnings"] if each.startswith("won: ")]
    assert "prior only" in warning
    compared = type_in("compare --json")
    assert (compared.code, compared.json["promote"]) == (0, promotes)
    promoted = type_in("promote")
    assert promoted.code == (0 if promotes else REFUSED)
    assert "is the champion" in promoted.out if promotes else "stays challenger: " in promoted.error
    assert (home / "bundles" / "conversion" / "champion.json").exists() == promotes


@pytest.mark.parametrize("instead", ["", "SEO"], ids=["nothing filled", "always the same"])
def test_without_dates_and_without_a_telling_field_there_is_a_prior(mlflow: None, tmp_path: Path, instead: str) -> None:
    imported(tmp_path, without("Источник", LEADS, instead), UNDATED)
    assert "prior only" in type_in("train conversion").out


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, mlflow_tables: Path) -> Path:
    """A company with a signal, whose tests below go on from one another."""
    folder = tmp_path_factory.mktemp("company")
    (folder / "home").mkdir()
    shutil.copy(mlflow_tables, folder / "home" / "mlflow.db")
    return folder


def test_the_road_to_a_champion_and_back(company: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _only_this_home(company, monkeypatch)
    home = company / "home"
    imported(company, made_up(1_300, signal=0.8))

    trained = type_in("train conversion")
    assert "is the challenger for conversion (MLflow version 1)" in trained.out
    assert "won.auc: 0.8" in trained.out
    first = trained.out.split()[0]

    compared = type_in("compare")
    assert compared.code == 0
    assert "there is no champion yet" in compared.out
    assert "verdict: promote" in compared.out
    told = type_in("compare --json").json
    assert told["metrics"]["challenger"]["auc"] > told["metrics"]["prior"]["auc"] == 0.5
    assert {"odoo_naive_bayes", "logistic_regression"} < set(told["metrics"])

    assert type_in("promote --json").json == {"kind": "conversion", "version": first, "previous": None}
    assert (home / "bundles" / "conversion" / first / "manifest.json").is_file()
    assert type_in("rollback").code == REFUSED, "the first champion has none before it"

    second = type_in("train conversion --seed 1 --json").json["registered"]["version"]
    assert second != first
    told = type_in("compare --json").json
    assert "the champion has learned from all of these leads" in told["notes"][0]
    forced = type_in("promote --force --json").json
    assert forced == {"kind": "conversion", "version": second, "previous": first}

    back = type_in("rollback")
    assert back.out == f"{first} is the champion again (before: {second})\n"
    assert json.loads((home / "bundles" / "conversion" / "champion.json").read_text()) == {"version": first}


# As a program of its own


def shell(*typed: str, folder: Path) -> subprocess.CompletedProcess[str]:
    leadloop = Path(sys.executable).with_name("leadloop")
    return subprocess.run([leadloop, *typed], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_the_console_script_answers_without_loading_what_help_does_not_need(tmp_path: Path) -> None:
    code = (
        "import sys, leadloop; print(sorted({'mlflow', 'pandas', 'lightgbm', 'sklearn', 'spacy'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert loaded.stdout == "[]\n"
    said = shell("--help", folder=tmp_path)
    assert said.returncode == 0
    assert "why leads are lost" in said.stdout


def test_json_on_the_output_and_everything_else_beside_it(tmp_path: Path) -> None:
    """With a registry just made, whose makers like to talk."""
    file, mapping = export(tmp_path, made_up(10))
    assert shell("import", str(file), "--mapping", str(mapping), folder=tmp_path).returncode == 0
    said = shell("train", "conversion", "--json", folder=tmp_path)
    assert (said.returncode, said.stderr) == (0, "")
    assert json.loads(said.stdout)["metrics"]["won.ripe"] == 8
