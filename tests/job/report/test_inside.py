import numpy as np
import pytest

from dlexp.job.report.inside import filter_blocks, weight_block


def test_sizes_and_norms_stand_in_the_table():
    table = weight_block({"hidden.2.weight": np.full((2, 2), 3.0)}).table
    assert table is not None
    assert table.rows[0].cells == ("hidden.2", "2x2", 3.0, 6.0)


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
