"""Does the test suite notice? Each fault is planted into a copy of the tree, and the tests that guard it must go red.

python benchmarks/planted_faults.py
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
COPIED = ("features", "models", "training", "serving", "tests", "benchmarks", "leadloop.py", "pyproject.toml")


@dataclass(frozen=True)
class Fault:
    """A fault, the file that it is planted in (text to find, text to put), and the tests that must notice."""

    name: str
    file: str
    find: str
    put: str
    tests: tuple[str, ...]


FAULTS = (
    Fault(
        "a column known only after the outcome is used",
        "features/exports.py",
        'mapping.custom == "all" and column not in roles]',
        'mapping.custom == "all" and roles.get(column) in (None, "known_after")]',
        ("tests/test_no_leaks.py",),
    ),
    Fault(
        "a feature sees the future",
        "features/lead_history.py",
        "event.at is not None and event.at <= as_of]",
        "event.at is not None]",
        ("tests/features/test_every_feature.py",),
    ),
    Fault(
        "an unripe lead is counted as lost",
        "features/outcomes.py",
        "    if not whole:\n        return None\n",
        "    if not whole:\n        return False\n",
        ("tests/features/test_outcomes.py", "tests/training/test_fit_conversion.py"),
    ),
    Fault(
        "the API and the batch differ",
        "serving/recommend.py",
        "prediction = model.predict(matrix,",
        "prediction = model.predict(matrix + 1e-9,",
        ("tests/serving/test_api.py", "tests/serving/test_recommend.py"),
    ),
    Fault(
        "a pickle in a bundle is accepted",
        "models/bundle.py",
        '    if path.suffix == ".npy":\n        return _is_plain_array(path)\n',
        "    return True\n",
        ("tests/models/test_bundle.py", "tests/serving/test_champions.py"),
    ),
)


def main() -> None:
    unnoticed = []
    for fault in FAULTS:
        before, after = _run(None, fault.tests), _run(fault, fault.tests)
        noticed = before == 0 and after == 1  # pytest: 0 all passed, 1 some failed
        print(
            f"{'noticed ' if noticed else 'MISSED  '} {fault.name}: tests {before} → {after} ({', '.join(fault.tests)})"
        )
        unnoticed += [] if noticed else [fault.name]
    if unnoticed:
        raise SystemExit(f"not noticed: {unnoticed}")


def _run(fault: Fault | None, tests: tuple[str, ...]) -> int:
    with tempfile.TemporaryDirectory() as made:
        tree = Path(made)
        for name in COPIED:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, tree / name)
        if fault:
            _plant(fault, tree / fault.file)
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
        return subprocess.run(command, cwd=tree, env=_environment(tree), capture_output=True, check=False).returncode


def _plant(fault: Fault, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if fault.find not in text:
        raise SystemExit(f"{fault.file} no longer holds {fault.find!r}; bring the fault '{fault.name}' up to date")
    path.write_text(text.replace(fault.find, fault.put), encoding="utf-8")


def _environment(tree: Path) -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(tree)}  # before the installed tree


if __name__ == "__main__":
    main()
