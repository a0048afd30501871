"""`dlexp doctor` as users and scripts run it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests import command

DLEXP = Path(sys.executable).parent / "dlexp"


def doctor(cwd: Path, *arguments: str) -> tuple[int, str, str]:
    known = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    done = subprocess.run(
        [DLEXP, "doctor", *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, env=known
    )
    return done.returncode, done.stdout, done.stderr


def test_a_finding_a_line_and_the_exit_code_says_whether_all_is_well(tmp_path):
    code, out, _ = doctor(tmp_path, "--json")
    findings = json.loads(out)
    assert all(finding.keys() == {"name", "status", "value", "cure"} for finding in findings)
    assert code == int(any(finding["status"] != "ok" for finding in findings))
    out = command.run(tmp_path, "doctor").stdout
    assert all(finding["name"] in out for finding in findings)


def test_a_fault_has_its_cure_below_and_exit_code_1(tmp_path):
    done = command.run(tmp_path, "doctor", "--uri", "http://127.0.0.1:9")
    assert done.returncode == 1
    assert "start it, or set tracking.uri to another" in done.stdout
