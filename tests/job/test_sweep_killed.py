"""A sweep that is killed again and again ends with the very table of the sweep that was left alone."""

import json
import random
import subprocess
import sys
from pathlib import Path

KILLS = 3  # of each strategy


def test_killed_at_random_instants(tmp_path):
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    script = Path(__file__).with_name("sweep_kill_loop.py")
    command = [sys.executable, str(script), str(tmp_path), str(seed), str(KILLS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert set(told) == {"grid", "random", "coarse_to_fine", "hyperband", "tpe"}
    for strategy, found in told.items():
        assert found["again"] == [], f"{strategy}: finished trials were trained again"
        assert found["killed"] == found["whole"], strategy
    assert sum(found["kills"] for found in told.values()) >= 10
    statuses = {record["status"] for found in told.values() for record in found["whole"]["trials"]}
    assert {"finished", "diverged"} <= statuses
