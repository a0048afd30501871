"""`dlexp compare` as users and scripts run it, in processes of its own."""

import json
from pathlib import Path

import numpy as np

from tests import command
from tests.job.compare import compared as made

QUICK = ["tracking=none", "trainer.threads=1", "data=iris", "trainer.epochs=2"]


def dlexp(cwd: Path, *arguments: str) -> tuple[int, str, str]:
    done = command.run(cwd, *arguments)
    return done.returncode, done.stdout, done.stderr


def test_seeds_are_refused_by_train_with_the_commands_that_take_them(tmp_path):
    code, out, err = dlexp(tmp_path, "train", "seed=range(0,8)")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "`dlexp sweep seed='range(0,8)'`" in err
    assert "`dlexp cv seed='range(0,8)'`" in err


def test_nothing_to_compare(tmp_path):
    for arguments, reason in ((), "at least two"), (("a", "b", "--seeds", "9"), "--seeds and --config-dir: have no"):
        code, _, err = dlexp(tmp_path, "compare", *arguments)
        assert (code, err.count("\n")) == (2, 1)
        assert reason in err


def test_of_many_runs_the_pairs_with_the_best_are_shown(tmp_path):
    target = np.arange(200) % 3
    ids = [
        made.write_run(tmp_path / "runs", made.logits(seed, target, 0.95 if seed == 3 else 0.5), target).run_id
        for seed in range(7)
    ]
    code, out, err = dlexp(tmp_path, "compare", *ids)
    assert code == 0, err
    assert out.count("D is better") == 6
    assert "Holm counts 15 more" in out
    code, out, _ = dlexp(tmp_path, "compare", *ids, "--json", "--metric", "log_loss")
    assert (code, len(json.loads(out)["pairs"])) == (0, 21)
