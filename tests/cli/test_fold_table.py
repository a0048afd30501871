"""A model that always says the larger class: unequal classes are warned of, and equal folds are called so."""

import json
import subprocess
import sys
from pathlib import Path

DLEXP = str(Path(sys.executable).parent / "dlexp")


def test_a_cv_of_a_majority_predictor(tmp_path):
    rows = ["a,b,y", *(f"{i % 7},{i % 3},{'rare' if i % 10 == 0 else 'common'}" for i in range(100))]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    source = ["data=csv", "data.path=t.csv", "data.target=y", "data.test_fraction=0.0", "cv.k=5"]
    model = ["model=softmax", "init=zeros", "trainer.epochs=1", "optimizer.lr=0.01", "tracking=none"]
    done = subprocess.run([DLEXP, "cv", *source, *model, "--json"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert [fold["metrics"]["val/accuracy"] for fold in result["folds"]] == [0.9] * 5
    assert (result["std"]["val/accuracy"], result["interval"]["val/accuracy"]) == (0, [None, None])
    assert result["interval_corrected"]["val/accuracy"] == [None, None]
    assert "warning classes are unequal, 8 to 72 training examples: look at the metrics by class" in done.stderr
    accuracy = next(line for line in done.stderr.splitlines() if line.startswith("│ accuracy"))
    assert accuracy.count("all folds equal") == 2
