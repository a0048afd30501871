"""Which figures a run gets, by task and augmentation, and what they are drawn from."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from safetensors.numpy import save_file

from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.execution.figure import SHEET_IMAGES, draw_figures
from dlexp.figure import augment, confusion, curve, residual, roc
from dlexp.figure.answer import example
from dlexp.figure.inside.weight import NAME
from dlexp.run.folder import RunFolder

RECORD = {"epoch": 1, "step": 2, "lr": 0.1, "train/loss": 1.0, "val/loss": 1.1, "seconds": 0.1}


@pytest.fixture
def drawn(monkeypatch):
    """Have each report note what it is given instead of drawing it."""
    calls: dict[str, tuple] = {}
    figures = {
        curve: "curves",
        confusion: "confusion",
        roc: "roc",
        residual: "residual",
        augment: "augment",
        example: "example",
    }
    for module, name in figures.items():

        def draw(*given, name=name, **_):
            calls[name] = given
            return Figure(figsize=(1, 1))

        monkeypatch.setattr(module, f"{name}_figure", draw)
    return calls


def prepared(tmp_path, *overrides: str):
    built = assemble(resolve(["tracking=none", "trainer.threads=1", *overrides]).config)
    folder = RunFolder.create(
        tmp_path,
        "x",
        "y",
        config={},
        overrides=[],
        manifest={"kind": "train", "status": "running", "monitor": {"metric": "val/accuracy"}},
    )
    folder.append_epoch(RECORD)
    folder.write_result({"best_epoch": 1, "status": "finished"})
    num, outputs = len(built.dataset.val), built.run.step.rules.loss.num_outputs
    output = np.zeros((num, outputs) if built.dataset.num_classes else num, np.float32)
    if built.dataset.num_classes:
        output[:, 0] = 1.0  # the first class for all
    if num:
        folder.write_predictions("val", np.arange(num), built.dataset.targets[built.dataset.val].numpy(), output)
    folder.unlock()
    return built, folder


def test_classes_have_a_confusion_matrix_and_curves(tmp_path, drawn):
    built, folder = prepared(tmp_path, "data=wine")
    paths = draw_figures(built, folder)
    names = ["curves", "confusion", "confusion_percent", "roc", "precision_recall", "reliability"]
    assert [path.stem for path in paths] == names, "neither a picture nor a checkpoint is there to be shown"
    assert drawn["curves"] == (folder.history(), 1, "val/accuracy")
    counts, names, _ = drawn["confusion"]
    targets = built.dataset.targets[built.dataset.val]
    assert counts[:, 0].tolist() == np.bincount(targets.numpy(), minlength=3).tolist(), "rows are the true classes"
    assert counts[:, 1:].sum() == 0
    assert names == built.dataset.class_names
    assert drawn["roc"][-3:] == ("softmax", "validation", 1)


def test_values_have_residuals(tmp_path, drawn):
    built, folder = prepared(tmp_path, "data=diabetes")
    assert [path.name for path in draw_figures(built, folder)] == ["curves.png", "residuals.png"]
    target, _, name = drawn["residual"]
    assert target.tolist() == folder.predictions("val")["target"].tolist()
    assert name == "value"  # the data set does not name its target


def test_augmented_images_are_shown_from_all_over_the_training_part(tmp_path, drawn):
    built, folder = prepared(tmp_path, "model=cnn", "augment=flip_crop")
    assert [path.name for path in draw_figures(built, folder)][-1] == "augment.png"
    images = drawn["augment"][0]
    train = built.dataset.train
    assert len(images) == SHEET_IMAGES
    assert (images[0] == built.dataset.inputs[train[0]]).all()
    assert (images[-1] == built.dataset.inputs[train[-1]]).all()


def test_pictures_are_shown_with_what_they_are_and_what_the_model_looks_for(tmp_path, drawn):
    built, folder = prepared(tmp_path, "model=cnn")
    place = folder.checkpoints / "best"
    place.mkdir(parents=True)
    save_file({"0.weight": np.ones((4, 1, 3, 3), np.float32), "1.weight": np.ones((2, 2), np.float32)}, place / NAME)
    stems = [path.stem for path in draw_figures(built, folder)]
    assert {"most_wrong", "least_sure", "weights", "filters"} <= set(stems)
    pictures, truth, called, _ = drawn["example"]
    targets = built.dataset.targets[built.dataset.val]
    wrong = next(row for row, target in enumerate(targets.tolist()) if target)
    assert len(pictures) == len(truth) == 16
    assert set(called) == {"0"}, "the first class for all"
    assert "0" in truth or truth[0] == built.dataset.class_names[int(targets[wrong])]
