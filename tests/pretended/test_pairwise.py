"""Every pair of options in every form on the pretended device: the CPU's bits, whatever is interrupted and resumed."""

import pytest

from benchmarks.case import blocks, models, values
from benchmarks.equality import largest
from dlexp.config.catalog import list_groups
from dlexp.engine.stack import linear
from tests.pretended.case import FACTORS, FORMS, case_of, marked, pairwise, train
from tests.pretended.device import pretend

EQUAL = {"weights": 0, "state": 0, "metrics": 0}


@pytest.fixture(autouse=True)
def _same_way(monkeypatch):
    """On the CPU too, dense layers of all trials are multiplied together, as on a card."""
    monkeypatch.setattr(linear, "_way", lambda _x, weight_TED: "sum" if weight_TED.shape[1] == 1 else "at once")


@pytest.mark.parametrize("group", ["optimizer", "regularizer", "schedule", "augment", "norm", "dropout"])
def test_every_option_is_among_the_factors(group):
    assert set(FACTORS[group]) == set(list_groups()[group])


@pytest.mark.parametrize("row", marked(40, size=2))
def test_the_bits_are_those_of_the_cpu(row, tmp_path):
    case, form, precision = case_of(row)
    expected = train(case, form, precision, "cpu")
    with pretend():
        ends = train(case, form, precision, "cuda", tmp_path)
    assert largest(ends, expected) == EQUAL


@pytest.mark.parametrize("form", FORMS)
def test_the_second_device_trains_too(form):
    case, _, _ = case_of(dict(pairwise()[0], model="mlp", habit="ema"))
    expected = train(case, form, "fp32", "cpu")
    with pretend(num_devices=2):
        ends = train(case, form, "fp32", "cuda:1")
    assert largest(ends, expected) == EQUAL


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", [*models(), *blocks(), *values()], ids=lambda case: case.name)
def test_every_case_in_every_form(case, form):
    expected = train(case, form, "fp32", "cpu")
    with pretend():
        ends = train(case, form, "fp32", "cuda")
    assert largest(ends, expected) == EQUAL
