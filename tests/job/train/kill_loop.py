"""Trains in forked children that are killed at random instants until the run is done; run by test_train_killed.

usage: python kill_loop.py RUNS_DIR SEED NUM_KILLS OVERRIDE...

The parent only imports torch: a fork then costs milliseconds, where a fresh process would cost seconds a kill.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from dlexp.config.resolve import resolve
from dlexp.error import RunError
from dlexp.job.train import train
from dlexp.run import scan


def child(runs_dir: Path, overrides: list[str]) -> int:
    def announce(_about):
        return lambda _event: None

    if scan.run_paths(runs_dir):
        return train.resume("last", runs_dir, announce=announce).exit_code
    return train.start(resolve([*overrides, f"runs_dir={runs_dir}"]), announce=announce).exit_code


def attempt(runs_dir: Path, overrides: list[str], kill: tuple[float, int] | None) -> int:
    """Return the exit code of one child, minus the signal's number when it was ended by it."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = child(runs_dir, overrides)
        except RunError as error:
            # killed before its manifest was written: nothing to resume, so begin
            sys.stderr.write(f"{error}\n")
        finally:
            os._exit(code)
    if kill is not None:
        time.sleep(kill[0])
        os.kill(pid, kill[1])
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def main() -> None:
    runs_dir, chance, num_kills = Path(sys.argv[1]), random.Random(int(sys.argv[2])), int(sys.argv[3])
    overrides = sys.argv[4:]
    killed = 0
    signals = [signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
    while killed < num_kills:
        signum = chance.choice(signals)
        code = attempt(runs_dir, overrides, (chance.uniform(0.05, 0.6), signum))
        assert code in (0, -signum, 128 + signum, 99), code
        killed += code != 0
        print(f"signal {signum}: exit {code}", flush=True)
        if code == 0:
            print(f"finished after {killed} kills", flush=True)
            return
    assert attempt(runs_dir, overrides, None) == 0
    print(f"finished after {killed} kills", flush=True)


if __name__ == "__main__":
    main()
