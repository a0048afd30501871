import numpy as np
import pytest
from safetensors.numpy import save_file

from dlexp.job.report.inside import WEIGHTS, filter_blocks, read_weights, weight_block
from dlexp.run.folder import RunFolder


def test_layers_follow_each_other_and_biases_are_left_out(tmp_path):
    folder = RunFolder(tmp_path)
    assert read_weights(folder) == {}
    place = tmp_path / "checkpoints" / "best"
    place.mkdir(parents=True)
    names = ["output.weight", "hidden.10.weight", "hidden.2.weight"]
    arrays = {name: np.full((2, 2), 3.0, np.float32) for name in names} | {"hidden.2.bias": np.zeros(2, np.float32)}
    save_file(arrays, place / WEIGHTS)
    weights = read_weights(folder)
    assert list(weights) == ["hidden.2.weight", "hidden.10.weight", "output.weight"]
    table = weight_block(weights).table
    assert table is not None
    assert table.rows[0].cells == ("hidden.2", "2x2", 3.0, 6.0)


def test_a_damaged_file_shows_nothing(tmp_path):
    place = tmp_path / "checkpoints" / "best"
    place.mkdir(parents=True)
    (place / WEIGHTS).write_bytes(b"no weights")
    assert read_weights(RunFolder(tmp_path)) == {}


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize(
    ("shapes", "num"),
    [([(16, 3, 3, 3), (4, 16)], 1), ([(16, 3, 1, 1)], 0), ([(16, 64)], 0), ([(8, 4), (16, 3, 3, 3)], 0), ([], 0)],
)
def test_the_filters_of_a_first_layer_of_pictures_are_shown(shapes, num):
    weights = {f"{place}.weight": np.ones(shape) for place, shape in enumerate(shapes)}
    blocks = filter_blocks(weights)
    assert len(blocks) == num
    assert all(block.finding.startswith("What the first layer looks for: 16 filters") for block in blocks)
    assert all(block.draw().count(b"<image") == 16 for block in blocks)
