"""`dlexp sync` as users and scripts run it."""

import json
import os
import subprocess
import sys
from pathlib import Path

DLEXP = Path(sys.executable).parent / "dlexp"


def sync(cwd: Path, *arguments: str, uri: str | None = None) -> tuple[int, str, str]:
    known = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    environment = known | ({} if uri is None else {"MLFLOW_TRACKING_URI": uri})
    done = subprocess.run(
        [DLEXP, "sync", *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, env=environment
    )
    return done.returncode, done.stdout, done.stderr


def test_nothing_lacks_where_nothing_is_tracked(tmp_path):
    assert sync(tmp_path) == (0, "MLflow has everything\n", "")
    code, out, _ = sync(tmp_path, "--json")
    assert (code, json.loads(out)) == (0, [])


def test_a_server_that_is_away_is_named_and_the_exit_code_says_so(trained):
    code, out, err = sync(trained, "last", "--json", uri="http://127.0.0.1:9")
    (record,) = json.loads(out)
    assert (code, record["sent"]) == (1, False)
    assert record["problem"].startswith("no answer from http://127.0.0.1:9")
    assert f"{record['run_id']}: no answer" in err
    assert "0 of 1 run sent" in err


def test_an_unknown_run_is_one_line(trained):
    code, out, err = sync(trained, "nothing")
    assert (code, out, err.count("\n")) == (2, "", 1)
