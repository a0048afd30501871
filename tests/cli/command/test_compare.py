"""`dlexp compare` as users and scripts run it, in processes of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.job.compare import compared as made

DLEXP = Path(sys.executable).parent / "dlexp"
QUICK = ["tracking=none", "trainer.threads=1", "data=iris", "trainer.epochs=2"]


def dlexp(cwd: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [DLEXP, *arguments], cwd=cwd, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_noise_prints_one_document_and_draws(tmp_path):
    assert dlexp(tmp_path, "train", *QUICK, "--quiet")[0] == 0
    code, out, err = dlexp(tmp_path, "compare", "--noise", "last", "--seeds", "2", "--json", "--figure", "n.png")
    assert code == 0, err
    found = json.loads(out)
    assert found.keys() >= {"kind", "run_id", "metric", "seeds", "value", "sources", "all", "least_difference"}
    assert (found["kind"], found["metric"], found["seeds"]) == ("noise", "val/accuracy", 2)
    assert [record["is_absent"] for record in found["sources"]] == [False, False, True, True]
    assert "augmentation plays no part: augment=none draws nothing" in err
    assert "other seeds of data order" in err
    assert (tmp_path / "n.png").read_bytes().startswith(b"\x89PNG")
    code, _, err = dlexp(tmp_path, "compare", "last", "--noise", "last")
    assert (code, err.count("\n")) == (2, 1)
    assert "it takes one run" in err


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
