"""Who may import whom, as a table: read from the source of every file, imports inside functions too."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]

MAY_IMPORT = {  # folder or root module: what of ours it may import, beside itself
    "features": (),
    "models": ("features",),
    "training": ("features", "models"),
    "serving": ("features", "models"),
    "leadloop": ("features", "models", "training", "serving"),
    "benchmarks": ("features", "models", "training", "serving"),
    "tests": ("features", "models", "training", "serving", "leadloop", "benchmarks"),
    "notebooks": ("features", "models", "training", "serving"),
}
PACKAGES = ("features", "models", "training", "serving")

HEAVY = ("pandas", "sklearn", "lightgbm")  # seconds and a hundred megabytes each: a server starts without them
LIGHT = ("features", "models", "serving")
TABLES = "serving/weekly/"  # the weekly run may make tables; the API does not import it

RUNS_CODE_ON_OPENING = ("pickle", "cPickle", "_pickle", "joblib", "cloudpickle", "dill", "marshal", "shelve")
RUNS_TEXT = ("eval", "exec", "compile", "__import__")

KNOWS_MLFLOW = ("training/registry.py",)


class Import(NamedTuple):
    """One imported name and where it stands; `lazy` inside a function, `typing_only` under `if TYPE_CHECKING`."""

    file: str
    line: int
    module: str
    lazy: bool = False
    typing_only: bool = False

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


# Reading the source


def sources(root: Path) -> list[Path]:
    """Every Python file of the project, the root modules first; a folder that is not in the table is read too."""
    folders = {path.parent for path in root.glob("[!.]*/*.py")} | {root / name for name in MAY_IMPORT}
    return sorted(root.glob("*.py")) + sorted(path for folder in folders for path in folder.rglob("*.py"))


def imports_of(path: Path, root: Path) -> Iterator[Import]:
    """All imports of a file, wherever they stand, `importlib.import_module("…")` among them."""
    name = path.relative_to(root).as_posix()
    yield from _walk(ast.parse(path.read_text(encoding="utf-8")), Import(name, 0, ""))


def _walk(node: ast.AST, here: Import) -> Iterator[Import]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        here = here._replace(lazy=True)
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        here = here._replace(typing_only=True)
    yield from (here._replace(line=getattr(node, "lineno", 0), module=module) for module in _modules(node, here.file))
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, here)


def _modules(node: ast.AST, file: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level:
        above = Path(file).parts[: -node.level]
        return [".".join([*above, *([node.module] if node.module else [alias.name])]) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
        return [str(arg.value) if isinstance(arg, ast.Constant) else ast.unparse(arg) for arg in node.args[:1]]
    return []


# The rules


def forbidden_neighbours(found: Import) -> str | None:
    """Ours may import ours by the table alone, also lazily and for types."""
    owner = found.file.partition("/")[0].removesuffix(".py")
    ours = {*MAY_IMPORT} & {found.top} - {owner}
    if owner not in MAY_IMPORT:
        return f"{found.file} is in no line of the table; add it, and say what it may import"
    return f"{found}, but {owner} may import {MAY_IMPORT[owner] or 'nothing'}" if ours - {*MAY_IMPORT[owner]} else None


def mlflow_outside_the_registry(found: Import) -> str | None:
    ours = found.file.partition("/")[0] in PACKAGES and found.file not in KNOWS_MLFLOW
    return f"{found}, but only {KNOWS_MLFLOW} know MLflow" if ours and found.top == "mlflow" else None


def heavy_at_the_start(found: Import) -> str | None:
    light = found.file.startswith(tuple(f"{name}/" for name in LIGHT)) and not found.file.startswith(TABLES)
    if not light or found.top not in HEAVY or found.lazy or found.typing_only:
        return None
    return f"{found} when it is loaded, so the API would wait for it; import it in the function that needs it"


def opening_that_runs_code(found: Import) -> str | None:
    ours = found.file.partition("/")[0] in PACKAGES
    return f"{found}, and opening such a file runs code from it" if ours and found.top in RUNS_CODE_ON_OPENING else None


RULES = [forbidden_neighbours, mlflow_outside_the_registry, heavy_at_the_start, opening_that_runs_code]


def broken_rules(root: Path) -> list[str]:
    found = [each for path in sources(root) for each in imports_of(path, root)]
    return [why for each in found for rule in RULES if (why := rule(each))]


def run_text(root: Path) -> list[str]:
    """Calls that run text as code, or unpickle NumPy arrays, in the four packages and the command line."""
    places = [path for path in sources(root) if path.relative_to(root).parts[0] in (*PACKAGES, "leadloop.py")]
    return [
        f"{path.relative_to(root).as_posix()}:{node.lineno} calls {ast.unparse(node.func)}"
        for path in places
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and (_name(node.func) in RUNS_TEXT or _allows_pickle(node))
    ]


def _name(function: ast.expr) -> str:
    """`eval` and `builtins.eval`, but not the method of an object: `re.compile` is another thing."""
    return ast.unparse(function).removeprefix("builtins.")


def _allows_pickle(call: ast.Call) -> bool:
    allowed = [word.value for word in call.keywords if word.arg == "allow_pickle"]
    return any(not (isinstance(value, ast.Constant) and value.value is False) for value in allowed)


# What holds here


def test_everybody_imports_only_whom_the_table_allows() -> None:
    assert broken_rules(ROOT) == []


def test_nothing_runs_text_as_code() -> None:
    assert run_text(ROOT) == []


def test_the_table_and_the_files_are_not_empty() -> None:
    found = [each for path in sources(ROOT) for each in imports_of(path, ROOT)]
    owners = {each.file.partition("/")[0].removesuffix(".py") for each in found}
    assert {*PACKAGES, "leadloop", "tests", "benchmarks"} <= owners
    assert {each.top for each in found} >= {*PACKAGES, "mlflow", "pandas", "lightgbm"}, "the walk sees lazy imports too"
    assert sum(each.lazy for each in found) > 20
    assert {*PACKAGES} == {path.name for path in ROOT.iterdir() if path.name in PACKAGES}


@pytest.mark.parametrize("package", PACKAGES)
def test_nobody_imports_the_command_line_the_notebooks_the_benchmarks_or_the_tests(package: str) -> None:
    assert not {"leadloop", "notebooks", "benchmarks", "tests"} & {*MAY_IMPORT[package]}


# The rules go red: a line planted in a copy of the layout, and what is said of it

PLANTED = [
    ("serving/api.py", "from training.rows import make_rows", "serving may import ('features', 'models')"),
    ("serving/api.py", "def late():\n    import training.train", "imports training.train"),
    ("serving/api.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import training", "imports training"),
    ("serving/api.py", 'import importlib\nimportlib.import_module("training.rows")', "imports training.rows"),
    ("serving/web/pages.py", "from ... import training", "imports training"),
    ("training/fit.py", "from serving.settings import Settings", "training may import ('features', 'models')"),
    ("models/trees.py", "from training import rows", "models may import ('features',)"),
    ("features/notes.py", "from models.taxonomy import load_taxonomy", "features may import nothing"),
    ("features/notes.py", "import notebooks", "features may import nothing"),
    ("training/train.py", "import leadloop", "training may import"),
    ("training/train.py", "from tests.conftest import store", "training may import"),
    ("training/train.py", "from benchmarks.conversion import main", "training may import"),
    ("leadloop.py", "import benchmarks", "leadloop may import"),
    ("helpers.py", "import json", "helpers.py is in no line of the table"),
    ("scripts/nightly.py", "import training", "scripts/nightly.py is in no line of the table"),
    ("training/train.py", "def late():\n    from mlflow import MlflowClient", "only ('training/registry.py',) know"),
    ("serving/champions.py", "import mlflow", "know MLflow"),
    ("serving/api.py", "import pandas as pd", "import it in the function that needs it"),
    ("models/trees.py", "import lightgbm", "import it in the function that needs it"),
    ("features/parquet.py", "try:\n    from sklearn import svm\nexcept ImportError:\n    pass", "imports sklearn"),
    ("models/bundle.py", "def late():\n    import pickle", "runs code from it"),
    ("training/registry.py", "from joblib import dump", "runs code from it"),
]
HARMLESS = [
    ("serving/weekly/tables.py", "import pandas as pd"),
    ("features/parquet.py", "def late():\n    import pandas"),
    ("training/registry.py", "import mlflow"),
    ("training/train.py", "import lightgbm\nimport models.trees\nfrom features.store import Store"),
    ("leadloop.py", "def train():\n    from training.train import train_conversion"),
    ("tests/test_cli.py", "from leadloop import app\nimport pickle"),
]
RUN_TEXT = [
    ("models/bundle.py", "eval(open('x').read())"),
    ("serving/api.py", "def late(text):\n    exec(text)"),
    ("features/notes.py", "import builtins\nbuiltins.exec('1')"),
    ("models/plain_files.py", "import numpy as np\nnp.load('x', allow_pickle=True)"),
]


def planted(root: Path, file: str, code: str) -> Path:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(code, encoding="utf-8")
    return root


@pytest.mark.parametrize(("file", "code", "said"), PLANTED, ids=[f"{file}: {code[-30:]}" for file, code, _ in PLANTED])
def test_a_planted_import_is_named(tmp_path: Path, file: str, code: str, said: str) -> None:
    (why, *_) = broken_rules(planted(tmp_path, file, code))
    assert file in why
    assert said in why


@pytest.mark.parametrize(("file", "code"), HARMLESS, ids=[file for file, _ in HARMLESS])
def test_an_allowed_import_is_left_alone(tmp_path: Path, file: str, code: str) -> None:
    assert broken_rules(planted(tmp_path, file, code)) == []


@pytest.mark.parametrize(("file", "code"), RUN_TEXT, ids=[file for file, _ in RUN_TEXT])
def test_planted_code_that_runs_text_is_named(tmp_path: Path, file: str, code: str) -> None:
    (call,) = run_text(planted(tmp_path, file, code))
    assert call.startswith(file)


def test_a_compiled_pattern_is_no_compiled_code(tmp_path: Path) -> None:
    assert run_text(planted(tmp_path, "features/notes.py", "import re\nre.compile('a')")) == []
