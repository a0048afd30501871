"""Trains in forked children that are killed at random instants until the run is done; run by test_train_killed.

usage: python -m tests.job.train.kill_loop RUNS_DIR SEED NUM_KILLS OVERRIDE...

The parent only imports torch: a fork then costs milliseconds, where a fresh process would cost seconds a kill.
"""

import random
import signal
import sys
from pathlib import Path

from dlexp.config.resolve import resolve
from dlexp.job.train import train
from dlexp.run import scan
from tests.job.child import attempt


def child(runs_dir: Path, overrides: list[str]) -> int:
    def announce(_about):
        return lambda _event: None

    if scan.run_paths(runs_dir):
        return train.resume("last", runs_dir, announce=announce).exit_code
    return train.start(resolve([*overrides, f"runs_dir={runs_dir}"]), announce=announce).exit_code


def main() -> None:
    runs_dir, chance, num_kills = Path(sys.argv[1]), random.Random(int(sys.argv[2])), int(sys.argv[3])
    overrides = sys.argv[4:]
    killed = 0
    signals = [signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
    while killed < num_kills:
        signum = chance.choice(signals)
        code = attempt(lambda: child(runs_dir, overrides), (chance.uniform(0.05, 0.6), signum))
        assert code in (0, -signum, 128 + signum, 99), code
        killed += code != 0
        print(f"signal {signum}: exit {code}", flush=True)
        if code == 0:
            print(f"finished after {killed} kills", flush=True)
            return
    assert attempt(lambda: child(runs_dir, overrides)) == 0
    print(f"finished after {killed} kills", flush=True)


if __name__ == "__main__":
    main()
