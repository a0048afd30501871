"""Searched options that decide whether a key exists, and those that come to the same."""

import pytest

from dlexp.config.space import read_space
from dlexp.error import ConfigError


def test_options_that_come_to_the_same_are_refused(tmp_path):
    (tmp_path / "optimizer").mkdir()
    (tmp_path / "optimizer" / "mine.yaml").write_text("defaults: [momentum]\nmomentum: 0.5\n")
    with pytest.raises(ConfigError, match="optimizer: got mine,momentum; with these settings both are the same"):
        read_space(["optimizer=mine,momentum", "optimizer.momentum=0.1"], tmp_path)
    space, _left = read_space(["optimizer=mine,momentum"], tmp_path)
    assert [dimension.values for dimension in space.dimensions] == [["mine", "momentum"]]
