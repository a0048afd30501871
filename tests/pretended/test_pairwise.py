"""Every pair of options in every form on the pretended device: the CPU's bits, whatever is interrupted and resumed."""

import pytest

from benchmarks.equality import largest
from tests.pretended.case import case_of, pairwise, train
from tests.pretended.device import pretend


@pytest.mark.parametrize("row", pairwise(), ids=lambda row: " ".join(row.values()))
def test_the_bits_are_those_of_the_cpu(row, tmp_path):
    case, form, precision = case_of(row)
    expected = train(case, form, precision, "cpu")
    with pretend():
        ends = train(case, form, precision, "cuda", tmp_path)
    assert largest(ends, expected) == {"weights": 0, "state": 0, "metrics": 0}
