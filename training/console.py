"""What the command line shows of imports, trainings and comparisons: progress while it runs, tables when it is done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from features.importing import ImportReport
from training.compare import Comparison, table
from training.train import Trained

REASONS_SHOWN = 10  # kinds of rejection in the terminal; the file has every row
LEFT_OUT_SHOWN = 12

console = Console(soft_wrap=True)
progress_console = Console(stderr=True)


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], None]]:
    """A growing count of rows; silent where nobody looks."""
    with _progress() as progress:
        task = progress.add_task(what, total=None)
        yield lambda rows: progress.update(task, description=f"{what}: {rows:,} rows".replace(",", " "))


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """The step that is being worked on, with the time it has taken."""
    with _progress() as progress:
        task = progress.add_task("starting", total=None)
        yield lambda step: progress.update(task, description=step)


@contextmanager
def timed_steps() -> Iterator[Callable[[str], None]]:
    """Each step on a line of its own with the seconds since the start, for a run that tells a story."""
    started = monotonic()
    with _progress() as progress:
        task = progress.add_task("starting", total=None)

        def say(step: str) -> None:
            progress.console.print(
                f"[{monotonic() - started:5.1f} s] {step}", markup=False, highlight=False, soft_wrap=True
            )
            progress.update(task, description=step)

        yield say


def _progress() -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    return Progress(*columns, console=progress_console, transient=True, disable=not progress_console.is_terminal)


def import_table(report: ImportReport) -> None:
    """What an import read, stored, skipped and why; what it found of fields; what looks like a leak."""
    how = f" ({report.encoding}, delimiter {report.delimiter!r})" if report.encoding else ""
    console.print(f"{report.file} by mapping {report.mapping}{how}: {report.rows} rows read", markup=False)
    for kind, saved in report.saved.items():
        console.print(f"  {kind}: {saved.new} new, {saved.changed} changed, {saved.same} already there")
    if report.rejected:
        console.print(f"  {report.rejected_rows} rows rejected, they are in {report.rejected_file}:", markup=False)
        for reason, count in report.rejected.most_common(REASONS_SHOWN):
            console.print(f"    {count} × {reason}", markup=False)
    for column, why in report.left_out.items():
        console.print(f"  not read: {column} ({why})", markup=False)
    kinds: dict[str, list[str]] = {}
    for name, found in report.types.items():
        kinds.setdefault(found.kind, []).append(name)
    for kind, names in sorted(kinds.items()):
        console.print(f"  {kind}: {', '.join(names)}", markup=False)
    for leak in report.suspected:
        console.print(f"  [bold red]may be known only after the outcome[/]: {escape(f'{leak.column}: {leak.why}')}")


def trained_table(kind: str, trained: Trained) -> None:
    console.print(
        f"{trained.registered.version} is the challenger for {kind} (MLflow version {trained.registered.number})"
    )
    for name, value in sorted(trained.metrics.items()):
        console.print(f"  {name}: {value:.4f}")
    for field in trained.left_out[:LEFT_OUT_SHOWN]:
        console.print(f"  left out: {field}", markup=False)
    for warning in trained.warnings:
        console.print(f"  [bold red]warning[/]: {warning}")


def comparison_table(kind: str, comparison: Comparison) -> None:
    """Contenders in rows, metrics in columns, the verdict below."""
    console.print(f"{kind}: compared on {comparison.leads} leads (or notes) that were held out")
    if comparison.intervals:
        header, *rows = table(comparison)
        shown = Table(*header)
        for row in rows:
            shown.add_row(*row)
        console.print(shown)
    else:
        for name, figures in comparison.metrics.items():
            console.print(f"  {name}: " + ", ".join(f"{key} {value:.4f}" for key, value in sorted(figures.items())))
    for note in comparison.notes:
        console.print(f"  {note}")
    for objection in comparison.objections:
        console.print(f"  [bold red]no[/]: {objection}")
    console.print("  verdict: promote" if comparison.promote else "  verdict: keep the champion")
