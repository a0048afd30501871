"""Sweeps in forked children that are killed at random instants until the sweep is done; run by test_sweep_killed.

usage: python -m tests.job.sweep.sweep_kill_loop FOLDER SEED NUM_KILLS [FUSE WORKERS]

Each strategy is tried with stacks and worker processes of its own, or all with the same; the undisturbed sweep trains
in its own process.

Prints a JSON document: for each strategy the number of kills, the final tables of the killed and of the undisturbed
sweep, and the finished trials that were trained again.
"""

import json
import os
import random
import shutil
import signal
import sys
import threading
from functools import partial
from pathlib import Path

import optuna  # noqa: F401  # as scipy.stats, for the forked children
import scipy.stats  # noqa: F401
import torch._dynamo  # noqa: F401  # which the first TorchDispatchMode imports

from dlexp.job.sweep import sweep
from dlexp.job.sweep.loop import TrialEpoch
from dlexp.job.sweep.spec import prepare
from dlexp.search.trial_id import code_version
from tests.job.child import attempt, start_server

LR = "optimizer.lr=tag(log,interval(1e-3,1e4))"  # the upper end diverges
SHARED = ["tracking=none", "data.limit=400"]
STRATEGIES = {
    "grid": ["optimizer.lr=0.01,0.1,1e9", "seed=0,1", "trainer.epochs=4"],
    "random": [LR, "search=random", "search.trials=8", "trainer.epochs=4"],
    "coarse_to_fine": [LR, "search=coarse_to_fine", "search.trials=9", "trainer.epochs=4"],
    "hyperband": [LR, "search=hyperband", "search.trials=9", "trainer.epochs=9"],
    "tpe": [LR, "search=tpe", "search.trials=8", "search.startup=3", "trainer.epochs=3"],
}
HOW = {  # trainer.fuse, launcher.workers
    "grid": ["off", "2"],
    "random": ["3", "1"],
    "coarse_to_fine": ["auto", "2"],
    "hyperband": ["3", "2"],
    "tpe": ["auto", "1"],
}


class Doom:
    """Kills its own process a moment after a number of epochs."""

    def __init__(self, epochs: int | None, moment: float) -> None:
        self.epochs, self.moment = epochs, moment

    def listen(self, event) -> None:
        if self.epochs is not None and isinstance(event, TrialEpoch):
            self.epochs -= 1
            if self.epochs == 0:
                threading.Timer(self.moment, os.kill, (os.getpid(), signal.SIGKILL)).start()

    def close(self) -> None:
        pass


def search(runs_dir: Path, overrides: list[str], doom: Doom) -> int:
    return sweep.start(
        [*overrides, f"runs_dir={runs_dir}"], None, announce=lambda _about: doom, has_figures=False
    ).outcome.exit_code


def finished(runs_dir: Path) -> dict[str, int]:
    """Return when each finished trial's result was written."""
    trials = {}
    for path in runs_dir.glob("*/*/trials/*/manifest.json"):
        if json.loads(path.read_text())["status"] in ("finished", "diverged", "failed"):
            trials[path.parent.name] = (path.parent / "result.json").stat().st_mtime_ns
    return trials


def table(runs_dir: Path) -> dict:
    (result,) = [json.loads(path.read_text()) for path in runs_dir.glob("*/*/result.json")]
    for record in [*result["trials"], result["best"]]:
        for name in ("run_dir", "seconds", "command"):
            record.pop(name, None)
    return {name: result[name] for name in ("status", "trials", "best", "metrics")}


def main() -> None:
    folder, chance, num_kills = Path(sys.argv[1]), random.Random(int(sys.argv[2])), int(sys.argv[3])
    told = {}
    start_server()
    for strategy, special in STRATEGIES.items():
        overrides = [*SHARED, *special]
        # found out and imported once here: forked children find it done, and changes of sources are not noticed
        prepare(overrides)
        code_version()
        fuse, workers = sys.argv[4:] or HOW[strategy]
        overrides.append(f"trainer.fuse={fuse}")
        undisturbed = [*overrides, "launcher.workers=1"]
        assert attempt(partial(search, folder / "whole" / strategy, undisturbed, Doom(None, 0.0))) == 0
        overrides.append(f"launcher.workers={workers}")
        kills, again, before = 0, [], {}
        place = folder / "killed" / strategy
        place.mkdir(parents=True)
        timings = folder / "whole" / strategy / "fuse.json"
        if timings.exists():  # what auto measured: another engine may round otherwise
            shutil.copy(timings, place)
        while True:
            epochs = chance.randint(1, 7) if kills < num_kills else None
            code = attempt(partial(search, place, overrides, Doom(epochs, chance.uniform(0, 0.05))))
            after = finished(place)
            again += [name for name, when in before.items() if after.get(name) != when]
            before = after
            if code == 0:
                break
            assert code == -signal.SIGKILL, code
            kills += 1
        told[strategy] = {
            "kills": kills,
            "again": again,
            "whole": table(folder / "whole" / strategy),
            "killed": table(place),
        }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
