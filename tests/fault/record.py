"""The record of full runs, `benchmarks/results/reliability.json`, written after every attempt: a killed one goes on."""

import json
import platform
import subprocess
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from dlexp.disk.durable import write_text
from tests.fault.promise import Row
from tests.fault.runner import ROOT, Tally

PATH = ROOT / "benchmarks" / "results" / "reliability.json"
_PACKAGES = ("dlexp", "torch", "mlflow", "hydra-core", "numpy")


def everything() -> dict[str, Any]:
    """Return the record of every row by its id; empty before the first run."""
    return json.loads(PATH.read_text()) if PATH.exists() else {}


def read(row: Row) -> Tally | None:
    """Return how far a row has come; None where it has not begun."""
    entry = everything().get(row.id)
    return None if entry is None else Tally(**entry["tally"])


def store(row: Row, tally: Tally) -> None:
    """Record a row's attempts so far, with the versions, every commit they were made on, and the date."""
    before = everything()
    now = versions()
    made_on = before[row.id]["versions"]["commit"].split(" to ") if row.id in before and tally.attempts > 1 else []
    now["commit"] = " to ".join(dict.fromkeys([*made_on[:1], now["commit"]]))
    entry = {"tally": asdict(tally), "versions": now, "date": datetime.now(UTC).date().isoformat()}
    write_text(PATH, json.dumps(before | {row.id: entry}, indent=1) + "\n", is_synced=False)


def versions() -> dict[str, str]:
    """Return the versions of what is attacked."""
    packages = {name: version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **packages, "commit": _commit(), "system": platform.system()}


def _commit() -> str:
    command = ["git", "rev-parse", "--short=10", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    return done.stdout.strip() or "none"
