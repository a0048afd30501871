"""The figure of differences."""

import math

from dlexp.report.compare import draw


def test_draws_every_verdict_and_an_unknown_interval(tmp_path):
    runs = [{"run_id": letter, "label": f"{letter} model"} for letter in "xyz"]
    pairs = [
        {"a": "x", "b": "y", "difference": 0.1, "interval": [0.05, 0.15], "p_holm": 0.01, "verdict": "a"},
        {"a": "x", "b": "z", "difference": 0.0, "interval": [-0.1, 0.1], "p_holm": 0.9, "verdict": "cannot tell"},
        {"a": "y", "b": "z", "difference": 1.0, "interval": [math.nan] * 2, "p_holm": 1.0, "verdict": "cannot tell"},
    ]
    path = draw({"metric": "val/accuracy", "runs": runs, "pairs": pairs}, tmp_path / "a" / "b.png")
    assert path.read_bytes().startswith(b"\x89PNG")
