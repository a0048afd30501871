"""Cross-validates in forked children that are killed at random instants until it is done; run by test_cv_killed.

usage: python kill_cv_loop.py RUNS_DIR SEED NUM_KILLS OVERRIDE...

The parent only imports torch: a fork then costs milliseconds, where a fresh process would cost seconds a kill.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from dlexp.error import RunError
from dlexp.job.cv import cv
from dlexp.run import scan
from tests.job import shared_server


def child(runs_dir: Path, overrides: list[str]) -> int:
    def announce(_about):
        return lambda _end: None

    if scan.run_paths(runs_dir):
        return cv.resume("last", runs_dir, announce=announce).exit_code
    return cv.start([*overrides, f"runs_dir={runs_dir}"], announce=announce).exit_code


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
        except SystemExit as error:
            code = int(str(error))
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
    signals = [signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
    shared_server.start()
    killed, code = 0, -1
    while killed < num_kills and code != 0:
        signum = chance.choice(signals)
        code = attempt(runs_dir, overrides, (chance.uniform(0.05, 0.7), signum))
        assert code in (0, -signum, 128 + signum, 99), code
        killed += code != 0
        print(f"signal {signum}: exit {code}", flush=True)
    if code != 0:
        assert attempt(runs_dir, overrides, None) == 0
    print(f"finished after {killed} kills", flush=True)


if __name__ == "__main__":
    main()
