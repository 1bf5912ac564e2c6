"""Every notebook runs from top to bottom in a fresh kernel, leaves nothing behind, and is kept without outputs."""

import ast
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.test_imports import MAY_IMPORT, RUNS_CODE_ON_OPENING, imports_of, sources

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CELL_S = 120  # seconds; the slowest cell takes ten on a free core

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def book_of(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def code_of(path: Path) -> list[str]:
    cells = book_of(path).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


def test_there_is_a_notebook() -> None:
    assert [path.stem for path in NOTEBOOKS][:1] == ["01_explore_an_export"]


@every_notebook
def test_it_runs_and_leaves_nothing_behind(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel stands in the notebook's folder, as Jupyter does; its temporary files go where we can count them."""
    (temporary := tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path))
    before = sorted(path.parent.rglob("*"))
    book = book_of(path)
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(book, timeout=CELL_S, kernel_name="python3", resources=where).execute()  # a cell's error is raised
    assert sorted(path.parent.rglob("*")) == before
    assert list(temporary.iterdir()) == []


@every_notebook
def test_it_is_kept_without_outputs(path: Path) -> None:
    """Outputs show leads, and every run would change the file."""
    cells = [cell for cell in book_of(path).cells if cell.cell_type == "code"]
    assert cells
    assert [cell.outputs for cell in cells] == [[]] * len(cells)
    assert [cell.execution_count for cell in cells] == [None] * len(cells)


@every_notebook
def test_it_starts_with_any_python3_kernel(path: Path) -> None:
    book = book_of(path)
    nbformat.validate(book)
    assert book.metadata.kernelspec.name == "python3"


@every_notebook
def test_it_opens_with_a_title_and_each_heading_is_followed_by_words(path: Path) -> None:
    words = [cell.source for cell in book_of(path).cells if cell.cell_type == "markdown"]
    assert words[0].startswith("# ")
    assert all(len(each.splitlines()) > 1 for each in words)


@every_notebook
def test_it_imports_the_packages_and_not_the_command_line(path: Path) -> None:
    ours = {*MAY_IMPORT} & {name.partition(".")[0] for name in _imported(path)}
    assert ours, "a notebook about the project uses it"
    assert ours <= {*MAY_IMPORT["notebooks"]}
    assert not {name.partition(".")[0] for name in _imported(path)} & {*RUNS_CODE_ON_OPENING, "mlflow"}


def test_nothing_imports_a_notebook() -> None:
    files = sources(ROOT)
    assert files
    found = [str(each) for file in files for each in imports_of(file, ROOT) if each.top == "notebooks"]
    assert found == []
    assert not list((ROOT / "notebooks").rglob("*.py")), "code that others need belongs into a package"


def _imported(path: Path) -> list[str]:
    nodes = [node for code in code_of(path) for node in ast.walk(ast.parse(code))]
    modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return modules + [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
