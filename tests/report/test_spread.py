"""The figure of a cross-validation's folds."""

import pytest

from dlexp.report.spread import draw


@pytest.mark.parametrize(("k", "repeats"), [(3, 2), (60, 1)])
def test_draws_folds_of_every_repeat(tmp_path, k, repeats):
    folds = [{"repeat": r, "fold": f, "metrics": {"m": 0.1 * f}} for r in range(repeats) for f in range(k)]
    result = {"k": k, "repeats": repeats, "folds": folds, "mean": {"m": 0.1}, "interval": {"m": [0.0, 0.2]}}
    assert draw(result, "m", tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")
