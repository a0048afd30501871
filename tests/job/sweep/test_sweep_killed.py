"""A sweep that is killed again and again ends with the very table of the sweep that was left alone."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
KILLS = 3  # of each strategy


def check(folder: Path, kills: int, *how: str) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    command = [sys.executable, "-m", "tests.job.sweep.sweep_kill_loop", str(folder), str(seed), str(kills), *how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=580, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert set(told) == {"grid", "random", "coarse_to_fine", "hyperband", "tpe"}
    for strategy, record_of in told.items():
        assert record_of["again"] == [], f"{strategy}: finished trials were trained again"
        assert record_of["killed"] == record_of["whole"], strategy
    assert sum(record_of["kills"] for record_of in told.values()) >= 10
    statuses = {record["status"] for record_of in told.values() for record in record_of["whole"]["trials"]}
    assert {"finished", "diverged"} <= statuses


def test_killed_at_random_instants(tmp_path):
    check(tmp_path, KILLS)


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("fuse", ["off", "3", "auto"])
def test_every_strategy_with_and_without_stacks_and_workers(tmp_path, fuse, workers):
    check(tmp_path, 2 * KILLS, fuse, workers)
