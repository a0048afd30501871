"""What a user names is one model: a run, or a setting of a sweep."""

import pytest

from dlexp.error import RunError
from dlexp.job.export.export import export


def test_a_sweep_is_its_winner_or_the_place_that_is_named(runs, tmp_path):
    folder, results = runs
    ranked = sorted(results["sweep"]["trials"], key=lambda trial: -trial["value"])
    ref = results["sweep"]["run_id"]
    for place, name in ((1, ref), (1, f"{ref}:1"), (2, f"{ref}:2")):
        document = export(
            name, folder / "runs", None, tmp_path / f"{name.replace(':', '-')}.safetensors", is_forced=True
        )
        assert document["run_id"] == ranked[place - 1]["run_id"]
    assert (
        "It is number 2 of 2 settings, by the same validation part, which flatters it."
        in (tmp_path / "card.md").read_text()
    )
    with pytest.raises(RunError, match=r":3: got the place 3 of 2 settings with a value"):
        export(f"{ref}:3", folder / "runs")
    with pytest.raises(RunError, match=r"got a cv, whose models are those of its folds; name one of"):
        export(results["cv"]["run_id"], folder / "runs")
    with pytest.raises(RunError, match=r"only sweeps have places"):
        export(f"{results['table']['run_id']}:1", folder / "runs")
