"""The figure of a cross-validation's folds."""

import pytest

from dlexp.report.cv import draw, draw_settings


@pytest.mark.parametrize(("k", "repeats"), [(3, 2), (60, 1)])
def test_draws_folds_of_every_repeat(tmp_path, k, repeats):
    folds = [{"repeat": r, "fold": f, "metrics": {"m": 0.1 * f}} for r in range(repeats) for f in range(k)]
    result = {"k": k, "repeats": repeats, "folds": folds, "mean": {"m": 0.1}, "interval": {"m": [0.0, 0.2]}}
    assert draw(result, "m", tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")


def test_draws_settings_against_the_best(tmp_path):
    settings = [
        {
            "overrides": {"optimizer.lr": 0.1 * i},
            "value": 0.9 - 0.1 * i if i < 3 else None,
            "interval_corrected": {"m": [0.7, None if i == 1 else 1.0]},
            "against_best": [None, "cannot tell", "worse", None][i],
        }
        for i in range(4)
    ]
    path = draw_settings({"metric": "m", "settings": settings}, tmp_path / "s.png")
    assert path.read_bytes().startswith(b"\x89PNG")
