import importlib.metadata
import shutil
from collections import namedtuple
from email.message import Message

import pytest

from dlexp import doctor
from dlexp.error import EnvironmentFault
from dlexp.gpu.check import Health


@pytest.fixture(autouse=True)
def no_tracking_uri(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def by_name(findings):
    assert all((finding["cure"] is None) == (finding["status"] == "ok") for finding in findings)
    return {finding["name"]: finding for finding in findings}


def test_a_machine_that_runs_these_tests_is_well(tmp_path):
    findings = by_name(doctor.examine(tmp_path / "runs"))
    assert {"python", "torch", "mlflow", "memory", "runs_dir", "mlflow store"} <= findings.keys()
    assert findings["torch"]["status"] == findings["python"]["status"] == "ok"
    assert "made by the first run" in findings["mlflow store"]["value"]
    assert any(name.startswith(("cuda", "mps")) for name in findings)
    assert not (tmp_path / "runs").exists(), "looking changes nothing"


def test_sources_that_nobody_installed_have_a_cure(tmp_path, monkeypatch):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    for name in ("metadata", "requires"):
        monkeypatch.setattr(importlib.metadata, name, absent)
    findings = by_name(doctor.examine(tmp_path))
    assert findings["dlexp"]["cure"] == "pip install -e . beside its sources"
    assert not any(name.startswith("extra") for name in findings)


def test_a_driver_that_does_not_come_back_has_a_cure(tmp_path, monkeypatch):
    hung = Health("", 0, 0, "its driver does not answer within 60 s", False, True)
    monkeypatch.setattr("dlexp.gpu.visible.visible_gpus", lambda: ["0", "1"])
    monkeypatch.setattr("dlexp.gpu.check.check", lambda names: [Health("H100", 9, 9, "", False), hung])
    findings = by_name(doctor.examine(tmp_path))
    assert findings["cuda:0"]["cure"] is None
    assert findings["cuda:1"]["value"] == hung.fault
    assert findings["cuda:1"]["cure"] == "restart the machine, or name other devices in CUDA_VISIBLE_DEVICES"

    def fail() -> list[str]:
        raise EnvironmentFault(f"cuda: {hung.fault}; restart the machine")

    monkeypatch.setattr("dlexp.gpu.visible.visible_gpus", fail)
    finding = by_name(doctor.examine(tmp_path))["cuda"]
    assert (finding["value"], finding["cure"]) == (hung.fault, "restart the machine")


def test_a_full_disk_has_a_cure(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 9, 1))
    cure = by_name(doctor.examine(tmp_path))["runs_dir"]["cure"]
    assert (cure or "").startswith("free some space")


def test_an_absent_server_has_a_cure(tmp_path):
    finding = by_name(doctor.examine(tmp_path, "http://127.0.0.1:9"))["mlflow store"]
    assert (finding["status"], finding["cure"]) == (
        "warn",
        "start it, or set tracking.uri to another",
    )
    assert "Connection refused" in finding["value"]


REQUIRED = [
    "torch>=2.11",
    "mlflow!=3.18.0,>=3.10",
    "numpy",
    "pywin32>=300; sys_platform == 'win32'",
    'optuna>=4; extra == "search"',
    'pytest; extra == "test"',
    'optuna>=4; extra == "test"',
]


def installed(monkeypatch, **by_name):
    """Have the machine require the packages above and hold these versions."""
    metadata = Message()
    for extra in ("search", "test"):
        metadata["Provides-Extra"] = extra
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: REQUIRED)
    monkeypatch.setattr(importlib.metadata, "metadata", lambda _: metadata)
    monkeypatch.setattr(doctor, "versions", lambda names: {name: by_name.get(name) for name in names})


FRESH = {"torch": "2.11.0+cpu", "mlflow": "3.19.0", "numpy": "2.0"}


def test_a_missing_package_has_a_cure(tmp_path, monkeypatch):
    installed(monkeypatch, mlflow="3.19.0", numpy="2.0")
    torch = by_name(doctor.examine(tmp_path))["torch"]
    assert (torch["status"], torch["value"]) == ("warn", "missing; required is torch>=2.11")
    assert torch["cure"] == "pip install 'torch>=2.11'"


@pytest.mark.parametrize(
    ("name", "version", "requirement"),
    [("mlflow", "2.14.1", "mlflow!=3.18.0,>=3.10"), ("mlflow", "3.18.0", "mlflow!=3.18.0,>=3.10")]
    + [("torch", version, "torch>=2.11") for version in ("2.9.1", "2.10.0+cu128", "1.13")],
)
def test_a_package_that_does_not_satisfy_the_requirement_has_a_cure(tmp_path, monkeypatch, name, version, requirement):
    installed(monkeypatch, **FRESH | {name: version})
    finding = by_name(doctor.examine(tmp_path))[name]
    assert finding["status"] == "warn"
    assert finding["value"] == f"{version}; required is {requirement}"
    assert finding["cure"] == f"pip install '{requirement}'"


def test_packages_that_satisfy_it_are_well_and_those_for_other_machines_are_not_asked_for(tmp_path, monkeypatch):
    installed(monkeypatch, **FRESH)
    findings = by_name(doctor.examine(tmp_path))
    assert findings["torch"] == {"name": "torch", "status": "ok", "value": "2.11.0+cpu", "cure": None}
    assert findings["mlflow"]["value"] == "3.19.0"
    assert "pywin32" not in findings
    assert "numpy" not in findings, "only what is wrong, and the three that matter most, are shown"


def test_an_extra_is_complete_absent_or_outdated(tmp_path, monkeypatch):
    installed(monkeypatch, **FRESH, optuna="4.1")
    findings = by_name(doctor.examine(tmp_path))
    assert findings["extra search"]["value"] == "installed"
    assert findings["extra test"]["value"] == "not installed (pytest): pip install 'dlexp[test]'"
    assert findings["extra test"]["status"] == "ok", "nobody needs it"
    installed(monkeypatch, **FRESH, optuna="3.6.1")
    search = by_name(doctor.examine(tmp_path))["extra search"]
    assert (search["status"], search["value"]) == ("warn", "optuna 3.6.1; required is optuna>=4")
    assert search["cure"] == "pip install 'dlexp[search]'"


def test_the_project_s_own_metadata_can_be_read_and_is_met_here():
    assert all(finding["cure"] is None for finding in doctor._packages())
