"""A run that diverges says what to do."""

from pathlib import Path

from dlexp.config.resolve import resolve
from dlexp.job.train import train
from dlexp.run.folder import RunFolder


def test_inception_without_norm_at_the_default_rate(tmp_path):
    images = ["data=fake", "data.num_train=64", "data.num_val=8", "trainer.batch_size=4"]
    few = ["trainer.epochs=2", "trainer.threads=1", "tracking=none", f"runs_dir={tmp_path}"]
    composed = resolve(["model=inception", "model.stem=imagenet", *images, *few])
    outcome = train.start(composed, announce=lambda about: lambda event: None)
    assert (outcome.exit_code, outcome.result["status"]) == (3, "diverged")
    assert any("is not finite; try a smaller optimizer.lr" in note for note in outcome.notes)
    folder = RunFolder.open(Path(outcome.result["run_dir"]))
    assert folder.manifest["status"] == "diverged"
