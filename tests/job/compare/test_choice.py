"""The metric of a comparison: the default, a name with or without part, a refusal with what there is."""

from dataclasses import replace

import numpy as np
import pytest

from dlexp.error import ConfigError
from dlexp.job.compare.choice import choose_metric
from dlexp.job.compare.pairing import pair_sides
from tests.job.compare.compared import logits, write_run

TARGET = np.arange(60) % 3


@pytest.fixture
def sides(tmp_path):
    refs = [write_run(tmp_path, logits(draw, TARGET, 0.8), TARGET).run_id for draw in (1, 2)]
    return pair_sides(refs, tmp_path)


@pytest.mark.parametrize(
    ("wanted", "name"), [(None, "accuracy"), ("log_loss", "log_loss"), ("val/f1_macro", "f1_macro")]
)
def test_a_metric_is_named_with_or_without_its_part(sides, wanted, name):
    assert choose_metric(wanted, sides) == (name, sides)


def test_what_there_is_not_is_refused_with_what_there_is(sides):
    with pytest.raises(ConfigError, match=r"--metric: got rmse; choose one of accuracy, .*log_loss"):
        choose_metric("rmse", sides)


def test_reconstructions_are_compared_by_their_errors(sides):
    of_errors = [replace(side, task="reconstruct") for side in sides]
    assert choose_metric(None, of_errors)[0] == "rmse"
    with pytest.raises(ConfigError, match=r"--metric: got mae; choose one of rmse, mse"):
        choose_metric("mae", of_errors)
