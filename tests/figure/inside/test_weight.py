import numpy as np
import pytest
from safetensors.numpy import save_file

from dlexp.figure.inside.weight import NAME, first_filters, read_weights, root_mean_squares


def test_layers_follow_each_other_and_biases_are_left_out(tmp_path):
    assert read_weights(tmp_path) == {}
    names = ["output.weight", "hidden.10.weight", "hidden.2.weight"]
    arrays = {name: np.full((2, 2), 3.0, np.float32) for name in names} | {"hidden.2.bias": np.zeros(2, np.float32)}
    save_file(arrays, tmp_path / NAME)
    weights = read_weights(tmp_path)
    assert list(weights) == ["hidden.2.weight", "hidden.10.weight", "output.weight"]
    assert root_mean_squares(weights) == (["hidden.2", "hidden.10", "output"], [3.0, 3.0, 3.0])


def test_recorded_layers_stand_in_the_order_of_the_network_whatever_they_are_called(tmp_path):
    names = ["stem.conv.weight", "blocks.0.weight", "classifier.weight"]
    save_file(
        {name: np.ones((2, 3, 3, 3), np.float32) for name in names} | {"zeta.weight": np.ones((2, 2))}, tmp_path / NAME
    )
    assert list(read_weights(tmp_path, names)) == [*names, "zeta.weight"]  # what is not recorded comes last
    assert next(iter(read_weights(tmp_path))) == "blocks.0.weight"  # by name, where nothing is recorded


def test_a_damaged_file_shows_nothing(tmp_path):
    (tmp_path / NAME).write_bytes(b"no weights")
    assert read_weights(tmp_path) == {}


@pytest.mark.parametrize(
    ("shapes", "is_shown"),
    [([(16, 3, 3, 3), (4, 16)], True), ([(16, 3, 1, 1)], False), ([(16, 64)], False), ([], False)],
)
def test_the_first_layer_has_filters_where_it_is_a_convolution(shapes, is_shown):
    weights = {f"{place}.weight": np.ones(shape) for place, shape in enumerate(shapes)}
    assert (first_filters(weights) is not None) == is_shown
