"""The demo's first half: a made-up company is exported by its CRM, imported, learned from, and its models promoted."""

import shutil
from collections.abc import Callable
from pathlib import Path

from features.importing import import_export
from features.mapping import load_mapping
from features.store import Store
from features.store.service_log import ServiceLog
from training.demo_company import DemoCompany, make_company
from training.demo_export import export_company
from training.demo_rules import DEMO_VOICES
from training.promote import Promotion, promote
from training.registry import Registry
from training.train import Trained, train_conversion, train_reasons
from training.verdict import verdict

Say = Callable[[str], None]


def clear(home: Path) -> None:
    """Removes what an earlier demo left, and nothing that a demo did not make."""
    marker = home / ".made-by-leadloop-demo"
    if home.exists() and any(home.iterdir()) and not marker.exists():
        raise ValueError(f"{home} holds files that no demo made; move it away or start the demo in another folder")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    marker.touch()


def import_company(store: Store, home: Path, *, leads: int, seed: int, say: Say) -> DemoCompany:
    """Makes the company, writes its messy CRM files into `home/export`, and imports them as a user would."""
    say(f"making a company of {leads} leads, two years")
    company = make_company(seed=seed, leads=leads)
    folder = home / "export"
    folder.mkdir(exist_ok=True)
    for file, mapping in export_company(company, folder):
        report = import_export(
            Path(file), load_mapping(mapping), store, rejected_to=home / "rejected", say=lambda _: None
        )
        stored = sum(saved.new for saved in report.saved.values())
        say(
            f"imported {report.file}: {report.rows} rows, {stored} records stored, {report.rejected_rows} rows rejected"
        )
    return company


def train_and_promote(store: Store, log: ServiceLog, registry: Registry, bundles: Path, *, say: Say) -> list[Promotion]:
    """Both models through MLflow and the gate, as `leadloop train` and `leadloop promote` do."""
    trainings: dict[str, Callable[[], Trained]] = {
        "conversion": lambda: train_conversion(store, registry, say=say),
        "reasons": lambda: train_reasons(registry, without_voices=DEMO_VOICES, say=say),
    }
    promoted = []
    for kind, train in trainings.items():
        _tell(kind, train(), say)
        done = promote(kind, registry, bundles, log, verdict(kind, registry, store).to_json())
        say(f"{done.version} is the champion for {kind}")
        promoted.append(done)
    return promoted


def _tell(kind: str, trained: Trained, say: Say) -> None:
    wanted = (
        ("won.auc", "won.log_loss", "won.prior_log_loss", "won.ece") if kind == "conversion" else ("accuracy", "ece")
    )
    figures = ", ".join(f"{name} {trained.metrics[name]:.3f}" for name in wanted if name in trained.metrics)
    say(f"trained {kind}: {figures} (on held out {'leads' if kind == 'conversion' else 'voices'})")
    for warning in trained.warnings:
        say(f"warning: {warning}")
