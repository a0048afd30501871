"""`dlexp summary` as a user runs it: hand arithmetic, the table, errors."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

DLEXP = Path(sys.executable).parent / "dlexp"
PLAIN = ["data=fake", "norm=none"]
ONE_STAGE = [*PLAIN, "model=cnn", "model.padding=[0]", "model.pool=[1]"]


@pytest.fixture
def layer(command):
    """Return the first layer of a type, as --json has it."""

    def find(kind, *overrides, number=0):
        code, out, _ = command("summary", "--json", *overrides)
        assert code == 0
        return [layer for layer in json.loads(out)["layers"] if layer["type"] == kind][number]

    return find


def test_five_3x3_filters_on_a_color_image_have_140_parameters(layer):
    row = layer("Conv2d", *ONE_STAGE, "model.channels=[5]", "data.shape=[3,256,256]")
    assert row["num_params"] == 140 == 5 * (3 * 3 * 3 + 1)


def test_sixteen_7x7_filters_leave_26_pixels_of_32(layer):
    row = layer("Conv2d", *ONE_STAGE, "model.channels=[16]", "model.kernel_size=[7]")
    assert row["output_shape"] == [16, 26, 26]
    assert (row["receptive_field"], row["stride"]) == (7, 1)


def test_32_3x3_filters_on_16_channels_have_4608_weights(layer):
    row = layer("Conv2d", "data=fake", "model=cnn", "model.channels=[16,32]", "norm=batch", number=1)
    assert row["num_params"] == 4608  # the norm has the biases


def test_a_dense_layer_of_500_units_on_a_color_image_has_1536500_parameters(layer):
    row = layer("Linear", *PLAIN, "model=mlp", "model.widths=[500]")
    assert (row["num_params"], row["flops"]) == (1_536_500, 2 * 3072 * 500)
    assert row["receptive_field"] is None


def test_four_4x4_filters_give_29x29x4_and_196_parameters(layer):
    row = layer("Conv2d", *ONE_STAGE, "model.channels=[4]", "model.kernel_size=[4]")
    assert (row["output_shape"], row["num_params"]) == ([4, 29, 29], 196)
    assert row["flops"] == 2 * 4 * 29 * 29 * 48


def test_the_table_of_a_known_net(command):
    code, out, err = command(
        "summary", "model=vgg", "norm=none", "data=fake", "data.shape=[3,224,224]", "data.num_classes=1000"
    )
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].strip() == "VGG for fake: 3x224x224 -> 1000"
    assert " ".join(lines[1].split()) == "layer type output parameters share FLOPs share field stride"
    assert " ".join(lines[2].split()) == "stages.0.0.conv Conv2d 64x224x224 1,792 0.0% 173 M 0.6% 3 1"
    assert "parameters  138,357,544" in lines
    assert any(line.startswith("FLOPs       30.9 G for one example") for line in lines)


def test_auxiliary_heads_warnings_and_frozen_parameters_are_told(command):
    _, out, _ = command("summary", "model=inception", "data=cifar10")
    assert "auxiliary   aux1 reads inception4a; its loss counts 0.3 in training; evaluation leaves it out" in out
    assert "warning     inception4c.branch3.1.conv: its receptive field of 33 pixels exceeds the image's 32" in out
    _, out, _ = command("summary", "model=torchvision", "freeze=[layer*]", "data=cifar10")
    assert "parameters  11,181,642, 11,166,976 of them frozen" in out


def test_quiet_prints_nothing_and_json_leaves_the_table_to_stderr(command):
    assert command("summary", "--quiet", "data=fake") == (0, "", "")
    _, out, err = command("summary", "--json", "data=fake")
    assert json.loads(out)["input_shape"] == [3, 32, 32]
    assert "parameters" in err


def test_an_image_too_small_is_one_line_from_a_process_of_its_own(tmp_path):
    arguments = ["summary", "model=vgg", "model.stem=imagenet", "data=fake", "data.shape=[3,16,16]"]
    done = subprocess.run([DLEXP, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("config error: model: got images of 16x16 pixels; vgg needs at least 32x32")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
