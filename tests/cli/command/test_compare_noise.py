"""`dlexp compare --noise` as users and scripts run it."""

import json
from pathlib import Path

import pytest

from tests import command

QUICK = ["tracking=none", "trainer.threads=1", "data=iris", "trainer.epochs=2"]


def dlexp(cwd: Path, *arguments: str) -> tuple[int, str, str]:
    done = command.run(cwd, *arguments)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_noise_prints_one_document_and_draws(tmp_path, drawn):
    assert dlexp(tmp_path, "train", *QUICK, "--quiet")[0] == 0
    code, out, err = dlexp(tmp_path, "compare", "--noise", "last", "--seeds", "2", "--json", "--figure", "n.png")
    assert code == 0, err
    document = json.loads(out)
    assert document.keys() >= {"kind", "run_id", "metric", "seeds", "value", "sources", "all", "least_difference"}
    assert (document["kind"], document["metric"], document["seeds"]) == ("noise", "val/accuracy", 2)
    assert [record["is_absent"] for record in document["sources"]] == [False, False, True, True]
    assert "augmentation plays no role: augment=none draws nothing" in err
    assert "other seeds of data order, 2 of 3\nsweep   runs/iris/" in err
    assert (tmp_path / "n.png").read_bytes().startswith(b"\x89PNG")
    code, _, err = dlexp(tmp_path, "compare", "last", "--noise", "last")
    assert (code, err.count("\n")) == (2, 1)
    assert "it takes one run" in err


def test_it_needs_a_run_that_is_there(tmp_path):
    code, out, err = dlexp(tmp_path, "compare", "--noise", "last", "--runs-dir", "absent")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("run error: ")
