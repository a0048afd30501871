import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlexp.error import ConfigError
from dlexp.run.listing.filter import parse

RECORD = {
    "status": "finished",
    "experiment": "digits",
    "seed": 3,
    "metrics": {"val/accuracy": 0.93, "val/loss": None},
    "params": {"model": "cnn", "optimizer.lr": 0.1, "model.widths": [8, 8]},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.val/accuracy > 0.9", True),
        ("metrics.val/accuracy>0.95", False),
        ("metrics.val/accuracy >= 0.93", True),
        ("params.optimizer.lr = 1e-1", True),
        ("params.optimizer.lr != 0.1", False),
        ("params.model == cnn", True),
        ('params.model = "cnn"', True),
        ("`params.model` = 'mlp'", False),
        ("params.model.widths = '[8, 8]'", True),
        ("status = finished and seed < 4", True),
        ("status = failed or seed = 3 and experiment = digits", True),
        ("(status = failed or seed = 3) and experiment = other", False),
        ("Status = finished", None),
        ("status = finished AND seed = 3", True),
        ("metrics.val/loss < 1", False),
        ("metrics.val/loss != 1", False),
        ("metrics.absent != 1", False),
        ("params.model > 3", True),
    ],
)
def test_expressions(text, expected):
    if expected is None:
        with pytest.raises(ConfigError, match="did you mean status"):
            parse(text)
    else:
        assert parse(text)(RECORD) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "status",
        "status =",
        "= 3",
        "metrics. > 1",
        "status = a b",
        "(status = a",
        "status = a)",
        "status = a and",
        "and",
        "status ! a",
        "status = 'a",
        "status => 1",
        "__class__ = 1",
        "metrics.val/accuracy > 0.9; import os",
    ],
)
def test_what_is_not_an_expression_is_one_line(text):
    with pytest.raises(ConfigError, match="--filter: got") as raised:
        parse(text)
    assert "\n" not in str(raised.value)


@given(st.text(alphabet=string.printable, max_size=40))
def test_any_text_is_an_expression_or_a_config_error(text):
    try:
        condition = parse(text)
    except ConfigError:
        return
    assert condition(RECORD) in (True, False)
