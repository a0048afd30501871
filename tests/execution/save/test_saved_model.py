"""A stored model, loaded back, gives the stored predictions from raw examples."""

import json

import numpy as np
import pytest
import torch

from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.data.file.column import read_columns
from dlexp.data.file.dialect import Dialect
from dlexp.data.file.encoding import Feature, encode_columns
from dlexp.error import ConfigError, RunError
from dlexp.execution.save import saved_model
from dlexp.figure.inside.weight import first_filters, read_weights
from dlexp.job.train import train
from dlexp.run.folder import RunFolder
from dlexp.run.measure import read_layers

QUICK = ["trainer.epochs=2", "tracking=none", "trainer.threads=1", "optimizer=adam"]


def trained(tmp_path, *overrides) -> RunFolder:
    composed = resolve([*QUICK, *overrides, f"runs_dir={tmp_path / 'runs'}"])
    return RunFolder.open(tmp_path / train.start(composed, announce=lambda about: lambda event: None).result["run_dir"])


def write_table(path, num=80):
    draw = np.random.default_rng(0)
    size, place = draw.normal(30, 9, num), draw.choice(["north", "south", "west"], num)
    lines = [f"{'' if i % 17 == 3 else round(size[i], 2)},{place[i]},{size[i] * 1000 + 5:.1f}" for i in range(num)]
    path.write_text("size,place,price\n" + "\n".join(lines))
    return ["data=csv", f"data.path={path}", "data.target=price", "data.missing=impute"]


@pytest.mark.parametrize(
    "overrides",
    [
        ["data=digits", "data.limit=100"],
        ["data=digits", "data.limit=100", "augment=flip_crop", "model=cnn", "model.channels=[4]"],
        ["data=breast_cancer", "trainer.ema=0.9"],
        ["data=diabetes", "trainer.precision=fp64"],
        ["data=wine", "normalize=minmax", "loss=hinge"],
    ],
    ids=lambda overrides: " ".join(overrides),
)
def test_the_stored_predictions_come_back(tmp_path, overrides):
    folder = trained(tmp_path, *overrides)
    predictions, dataset = folder.predictions("val"), load_data(folder.config)
    outputs = saved_model.load(folder).outputs(dataset.inputs[dataset.val], batch_size=50)
    np.testing.assert_allclose(outputs.numpy(), predictions["output"], rtol=1e-5, atol=1e-5)
    assert predictions["target"].tolist() == dataset.targets[dataset.val].tolist()


def test_the_layers_are_named_from_the_input_on_and_show_the_first_filters(tmp_path):
    """By their names, those of the head and of the stages would come before the first convolution."""
    for model, first in (
        (["model=cnn", "model.channels=[4]", "model.widths=[8]"], "stages.0.0.conv.weight"),
        (["model=resnet", "model.depth=8"], "stem.conv.weight"),
    ):
        folder = trained(tmp_path, "data=digits", "data.limit=60", *model)
        names = read_layers(folder)
        weights = read_weights(folder.checkpoints / "best", names)
        assert (names[0], names[-1]) == (first, "output.weight")
        assert list(weights) == names
        filters = first_filters(weights)
        assert filters is not None
        assert filters.shape[1] == 1  # a channel: the pictures are grey


def test_new_rows_of_a_table_are_encoded_as_in_training(tmp_path):
    folder = trained(tmp_path, *write_table(tmp_path / "houses.csv"))
    model = saved_model.load(folder)
    predictions, encoding = folder.predictions("val"), model.about["encoding"]
    table = read_columns(tmp_path / "houses.csv", Dialect(encoding["dialect"]["delimiter"]))
    inputs = encode_columns(table, [Feature(**feature) for feature in encoding["features"]], encoding["missing"]).inputs
    outputs = model.outputs(inputs[predictions["id"].astype(int)])
    np.testing.assert_allclose(outputs.numpy(), predictions["output"], rtol=1e-5)
    assert abs(predictions["target"].mean() - predictions["output"].mean()) < predictions["target"].std(), (
        "in the target's own unit"
    )


def test_wrong_shapes_and_an_absent_file_are_told(tmp_path):
    folder = trained(tmp_path, "data=wine")
    assert json.loads((folder.path / "model.json").read_text())["class_names"] == [f"cultivar {k}" for k in (1, 2, 3)]
    with pytest.raises(ConfigError, match=r"got examples of shape \[5\]; the model takes \[13\]"):
        saved_model.load(folder).outputs(torch.zeros(4, 5))
    (folder.path / "model.json").unlink()
    with pytest.raises(RunError, match=r"model.json: cannot be read"):
        saved_model.load(folder)
