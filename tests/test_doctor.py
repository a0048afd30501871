import shutil
from collections import namedtuple

import pytest

from dlexp import doctor


@pytest.fixture(autouse=True)
def no_tracking_uri(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def by_name(findings):
    assert all((found["cure"] is None) == (found["status"] == "ok") for found in findings)
    return {found["name"]: found for found in findings}


def test_a_machine_that_runs_these_tests_is_well(tmp_path):
    found = by_name(doctor.examine(tmp_path / "runs"))
    assert {"python", "torch", "mlflow", "memory", "runs_dir", "mlflow store"} <= found.keys()
    assert found["torch"]["status"] == found["python"]["status"] == "ok"
    assert "made by the first run" in found["mlflow store"]["value"]
    assert any(name.startswith(("cuda", "mps")) for name in found)
    assert not (tmp_path / "runs").exists(), "looking changes nothing"


def test_a_full_disk_has_a_cure(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 9, 1))
    assert by_name(doctor.examine(tmp_path))["runs_dir"]["cure"].startswith("free some space")


def test_an_absent_server_has_a_cure(tmp_path):
    found = by_name(doctor.examine(tmp_path, "http://127.0.0.1:9"))["mlflow store"]
    assert (found["status"], found["cure"]) == (
        "warn",
        "start the server, or unset tracking.uri and MLFLOW_TRACKING_URI",
    )
    assert "Connection refused" in found["value"]


def test_a_missing_package_has_a_cure(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "versions", lambda names: {name: None for name in names})
    assert by_name(doctor.examine(tmp_path))["torch"]["cure"].startswith("pip install 'torch")
