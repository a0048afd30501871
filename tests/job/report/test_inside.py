import numpy as np
from safetensors.numpy import save_file

from dlexp.job.report.inside import WEIGHTS, read_weights, weight_block
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
