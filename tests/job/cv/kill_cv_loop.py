"""Cross-validates in forked children that are killed at random instants until it is done; run by test_cv_killed.

usage: python -m tests.job.cv.kill_cv_loop RUNS_DIR SEED NUM_KILLS OVERRIDE...

The parent only imports torch: a fork then costs milliseconds, where a fresh process would cost seconds a kill.
"""

import random
import signal
import sys
from pathlib import Path

from dlexp.job.cv import cv
from dlexp.run import scan
from tests.job.child import attempt, start_server


def child(runs_dir: Path, overrides: list[str]) -> int:
    def announce(_about):
        return lambda _end: None

    if scan.run_paths(runs_dir):
        return cv.resume("last", runs_dir, announce=announce).exit_code
    return cv.start([*overrides, f"runs_dir={runs_dir}"], announce=announce).exit_code


def main() -> None:
    runs_dir, chance, num_kills = Path(sys.argv[1]), random.Random(int(sys.argv[2])), int(sys.argv[3])
    overrides = sys.argv[4:]
    signals = [signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
    start_server()
    killed, code = 0, -1
    while killed < num_kills and code != 0:
        signum = chance.choice(signals)
        code = attempt(lambda: child(runs_dir, overrides), (chance.uniform(0.05, 0.7), signum))
        assert code in (0, -signum, 128 + signum, 99), code
        killed += code != 0
        print(f"signal {signum}: exit {code}", flush=True)
    if code != 0:
        assert attempt(lambda: child(runs_dir, overrides)) == 0
    print(f"finished after {killed} kills", flush=True)


if __name__ == "__main__":
    main()
