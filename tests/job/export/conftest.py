"""Runs that are exported: of a table, of pictures, of values on all examples, of two targets; a sweep and a cv."""

import json

import numpy as np
import pytest

from dlexp.job.export.export import export
from tests import command

QUICK = ["tracking=none", "trainer.threads=1", "trainer.epochs=2", "-q", "--json"]
EVIL = "<script>alert(1)</script>|`*_[x](y)"


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """A folder with a run on a table with texts, one on pictures, one of values on all examples, and a sweep."""
    folder = tmp_path_factory.mktemp("exported")
    draw = np.random.default_rng(0)
    rows = [
        f"{x:.3f},{place},{EVIL if x > 0 else 'no: yes'}"
        for x, place in zip(draw.normal(size=90), "abc" * 30, strict=True)
    ]
    (folder / "t.csv").write_text("\n".join(["size,place,kind", *rows]) + "\n")
    commands = {
        "table": ("train", "data=csv", "data.path=t.csv", "data.target=kind", "model.widths=[4]"),
        "pictures": ("train", "data=digits", "data.limit=200", "model=cnn", "model.channels=[4]"),
        "pairs": ("train", "task=pairs", "data.limit=150", "pairs.train=100", "pairs.held_out=80", "model.widths=[4]"),
        "values": ("train", "data=diabetes", "train_on=train+val", "trainer.precision=fp64", "model.widths=[4]"),
        "targets": ("train", "data=csv", "data.path=t.csv", "data.target=[kind,size]", "model.widths=[4]"),
        "sweep": ("sweep", "data=iris", "model=softmax", "optimizer.lr=0.0001,0.1"),
        "cv": ("cv", "data=iris", "model=softmax", "cv.k=2"),
    }
    results = {}
    for name, words in commands.items():
        done = command.run(folder, *words, *QUICK)
        assert done.returncode == 0, done.stderr
        results[name] = json.loads(done.stdout)
    return folder, results


@pytest.fixture
def export_of(runs):
    """Export one of the runs by its name."""

    def call(name, form, out, **options):
        folder, results = runs
        return export(results[name]["run_id"], folder / "runs", form, out, **options)

    return call
