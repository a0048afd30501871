import pytest

from dlexp.data.file.dialect import Dialect
from dlexp.data.file.moment import ranks


@pytest.mark.parametrize(
    ("texts", "form", "expected"),
    [
        (["10", "9", "9.0"], None, [1, 0, 0]),
        (["1700000000000000001", "1700000000000000000"], None, [1, 0]),
        (["2021-12-31", "2021-03-09"], None, [1, 0]),
        (["2021-03-09T12:00:00+02:00", "2021-03-09 11:00:00+00:00"], None, [0, 1]),
        (["2021-03-09 00:00", "2021-03-09"], None, [0, 0]),
        (["2021-03", "2021-02-15"], None, [1, 0]),
        (["2021-03-09 00:00:00.000000002", "2021-03-09 00:00:00.000000001"], None, [1, 0]),
        (["31/12/2021", "2021-03-09"], None, [None, 0]),
        (["2021-3-9", "9 March 2021"], None, [None, None]),
        (["2021-3-9", "2021-12-1"], "%Y-%m-%d", [0, 1]),
        (["31/12/2021", "01/02/2022"], "%d/%m/%Y", [0, 1]),
        (["9 March 2021", "8 april 2021", "x"], "%d %B %Y", [0, 1, None]),
        (["nan", "inf", "1"], None, [None, None, 0]),
    ],
)
def test_order_of_time(texts, form, expected):
    assert ranks(texts, form, Dialect()) == expected
