"""The command line: each command is a few lines and imports what it needs when it is called."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from serving.settings import Settings
    from training.registry import Registry

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Call now or nurture; why leads are lost; the weekly page. Settings come from LEADLOOP_… variables or .env.",
)
keys = typer.Typer(no_args_is_help=True, help="API keys of the CRM.")
app.add_typer(keys, name="keys")

MISTAKE, REFUSED = 2, 3  # exit codes: the input is wrong; the gate said no

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document for a program.")]


class Kind(StrEnum):
    CONVERSION = "conversion"
    REASONS = "reasons"


WhichKind = Annotated[Kind, typer.Argument(help="Which model.")]


@app.command()
def demo(
    serve: Annotated[bool, typer.Option(help="Start the API at the end.")] = True,
    leads: Annotated[int, typer.Option(help="How many leads the company has had.", min=500)] = 20_000,
    seed: int = 7,
) -> None:
    """A made-up company: import, train, register, promote, tag, report, serve; says what to open."""
    from serving.demo_tour import tour
    from serving.weekly.run import run_week
    from training.console import timed_steps
    from training.demo_run import clear, import_company, train_and_promote

    with _plain_errors():
        settings = _demo_settings()
        clear(settings.home)
        with timed_steps() as say:
            store = settings.open_store()
            log = settings.open_log(store)
            import_company(store, settings.home, leads=leads, seed=seed, say=say)
            train_and_promote(store, log, _registry(settings), settings.bundles, say=say)
            say("tagging the last week and building its page")
            week = run_week(settings, None)
        tour(settings, store, week, log.new_key("demo"), serve=serve)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV (also .gz), XLSX or Parquet.", exists=True, dir_okay=False)],
    mapping: Annotated[str, typer.Option(help="A YAML file, or the name of a shipped mapping.")] = "",
    guess: Annotated[bool, typer.Option("--guess", help="Propose a mapping and store nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """A CRM export into the store; says what was read, stored, skipped and why."""
    with _plain_errors():
        if guess:
            from features.guess import guess_mapping

            typer.echo(guess_mapping(file))
            return
        if not mapping:
            raise typer.BadParameter("say --mapping FILE.yaml, or --guess to have one proposed")
        from features.importing import import_export
        from features.mapping import load_mapping
        from training.console import counting, import_table

        settings = _settings()
        with counting(f"reading {file.name}") as say:
            report = import_export(
                file, load_mapping(mapping), settings.open_store(), rejected_to=settings.home / "rejected", say=say
            )
        _print_json(report) if as_json else import_table(report)


@app.command()
def train(kind: Kind, seed: int = 0, as_json: AsJson = False) -> None:
    """A run in MLflow and a challenger in the registry; says what was left out and why."""
    from training.console import steps, trained_table
    from training.train import train_conversion, train_reasons

    with _plain_errors():
        settings = _settings()
        with steps() as say:
            if kind is Kind.CONVERSION:
                trained = train_conversion(settings.open_store(), _registry(settings), seed=seed, say=say)
            else:
                trained = train_reasons(_registry(settings), seed=seed, say=say)
        _print_json(trained) if as_json else trained_table(kind.value, trained)


@app.command()
def compare(kind: WhichKind = Kind.CONVERSION, as_json: AsJson = False) -> None:
    """Champion, challenger and baselines side by side, with intervals and a verdict."""
    from training.console import comparison_table
    from training.verdict import verdict

    with _plain_errors():
        settings = _settings()
        found = verdict(kind.value, _registry(settings), settings.open_store())
        _print_json(found.to_json()) if as_json else comparison_table(kind.value, found)


@app.command()
def promote(
    kind: WhichKind = Kind.CONVERSION,
    force: Annotated[bool, typer.Option(help="Promote against the gate; it is recorded.")] = False,
    as_json: AsJson = False,
) -> None:
    """Challenger becomes champion, if the gate says yes."""
    from training.promote import promote as publish
    from training.verdict import verdict

    with _plain_errors():
        settings = _settings()
        store, registry = settings.open_store(), _registry(settings)
        found = verdict(kind.value, registry, store)
        done = publish(kind.value, registry, settings.bundles, settings.open_log(store), found.to_json(), force=force)
        _print_json(done) if as_json else typer.echo(f"{done.version} is the champion (before: {done.previous})")


@app.command()
def rollback(kind: WhichKind = Kind.CONVERSION, as_json: AsJson = False) -> None:
    """The previous champion serves again."""
    from training.promote import roll_back

    with _plain_errors():
        settings = _settings()
        log = settings.open_log(settings.open_store())
        done = roll_back(kind.value, _registry(settings), settings.bundles, log)
        _print_json(done) if as_json else typer.echo(f"{done.version} is the champion again (before: {done.previous})")


@app.command()
def serve(host: str | None = None, port: int | None = None) -> None:
    """The API and the pages."""
    from serving.server import run_server

    with _plain_errors():
        settings = _settings()
        run_server(settings, host or settings.host, port or settings.port)


@app.command()
def weekly(
    week: Annotated[str, typer.Option(help="Like 2026-W46; by default the last full week of the data.")] = "",
    as_json: AsJson = False,
) -> None:
    """Tag the week's notes, build the review (cron runs this)."""
    from zoneinfo import ZoneInfo

    from serving.weekly.run import NoReasonModel, NoWeek, run_week
    from serving.weekly.week import Week

    with _plain_errors(NoReasonModel, NoWeek):
        settings = _settings()
        done = run_week(settings, Week.named(week, ZoneInfo(settings.timezone)) if week else None)
        _print_json(done) if as_json else typer.echo("\n".join(str(path) for path in done.pages))


@keys.command("new")
def new_key(name: Annotated[str, typer.Argument(help="Who will use it, e.g. bitrix24.")]) -> None:
    """Make a key and show it once."""
    from sqlalchemy.exc import IntegrityError

    with _plain_errors():
        settings = _settings()
        try:
            typer.echo(settings.open_log(settings.open_store()).new_key(name))
        except IntegrityError:
            _fail(f"there was a key under the name {name!r} already; choose another, such as '{name}-2'")


@keys.command("revoke")
def revoke_key(name: str) -> None:
    """Make a key useless."""
    with _plain_errors():
        settings = _settings()
        if not settings.open_log(settings.open_store()).revoke_key(name):
            _fail(f"there is no key under the name {name!r}")


def _settings() -> "Settings":
    from serving.settings import Settings

    return Settings()


def _demo_settings() -> "Settings":
    """The demo lives in a folder of its own, made anew each time: it never touches a company's data."""
    from serving.settings import Settings

    return Settings(home=Path("leadloop-demo"), store=None, mlflow=None)


def _registry(settings: "Settings") -> "Registry":
    from training.registry import Registry

    return Registry(settings.mlflow_uri)


@contextmanager
def _plain_errors(*also: type[Exception]) -> Iterator[None]:
    """Errors that a person can mend, in one line and with an exit code; anything else keeps its traceback."""
    from zoneinfo import ZoneInfoNotFoundError

    from pydantic import ValidationError
    from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

    mendable: tuple[type[Exception], ...] = (ValueError, OSError, ImportError, *also)
    try:
        yield
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        _fail(f"the settings are wrong: {wrong}")
    except DatabaseError as error:
        if type(error) not in (OperationalError, DatabaseError):  # a broken constraint is ours to mend
            raise
        _fail(f"the store does not answer: {' '.join(str(error.orig).split())}")
    except ArgumentError:
        _fail("the settings are wrong: store: not a URL; expected one like sqlite:///leadloop.db or postgresql://…")
    except ZoneInfoNotFoundError as error:
        _fail(f"the settings are wrong: timezone: {error.args[0]}; expected one such as Europe/Moscow or UTC")
    except mendable as error:
        _fail(f"{type(error).__name__}: {error}", REFUSED if type(error).__name__ == "NotPromoted" else MISTAKE)


def _fail(why: str, code: int = MISTAKE) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(code)


def _print_json(found: Any) -> None:
    plain: Callable[[Any], Any] = lambda value: vars(value) if hasattr(value, "__dict__") else str(value)  # noqa: E731
    typer.echo(json.dumps(found, default=plain, ensure_ascii=False, indent=1))


def main() -> None:
    """The console script."""
    app(prog_name="leadloop")


if __name__ == "__main__":
    main()
