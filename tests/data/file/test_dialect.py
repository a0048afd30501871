"""How a text file is written: what may part fields."""

import pytest

from dlexp.data.file.dialect import Dialect
from dlexp.data.file.number import Notation
from dlexp.error import ConfigError


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n"])
def test_separators_that_are_none(delimiter):
    with pytest.raises(ConfigError, match=r"data.delimiter: got .* one character is needed"):
        _ = Dialect(delimiter).separator


def test_one_character_cannot_part_fields_and_fractions():
    with pytest.raises(ConfigError, match="they must differ"):
        _ = Dialect(",", notation=Notation(decimal=",")).separator
