"""Which of two classes counts as positive."""

import pytest
import torch

from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.data.fact.positive import choose_positive, describe_positive, positive_fact
from dlexp.error import ConfigError

FEWER_FIRST, FEWER_SECOND = torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1])


@pytest.mark.parametrize(
    ("wanted", "names", "targets", "positive"),
    [
        (None, ["0", "1"], FEWER_FIRST, 1),
        (None, ["1", "2"], FEWER_SECOND, 0),
        (None, ["False", "True"], FEWER_FIRST, 1),
        (None, ["No", "Yes"], FEWER_FIRST, 1),
        (None, ["yes", "zero"], FEWER_SECOND, 0),
        (None, ["malignant", "benign"], FEWER_FIRST, 0),
        (None, ["a", "b"], FEWER_SECOND, 1),
        (None, ["a", "b"], torch.tensor([0, 1]), 1),
        (None, ["1", "true"], FEWER_FIRST, 0),  # both names say yes, so neither does
        ("да", ["да", "нет"], FEWER_SECOND, 0),
        ("0", ["0", "1"], FEWER_SECOND, 0),
        ("true", ["False", "True"], FEWER_FIRST, 1),
        (None, ["a", "b", "c"], FEWER_FIRST, 1),
    ],
)
def test_the_choice(wanted, names, targets, positive):
    assert choose_positive(wanted, names, targets) == positive


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b"], r"data\.positive: got x; choose one of a, b"),
        (["a", "b", "c"], r"data\.positive: got x; the data have 3 classes, and two classes are needed"),
        ([], r"data\.positive: got x; the data have values, and two classes are needed"),
        (["X", "x", "y"][:2], None),
    ],
)
def test_a_name_that_is_none_is_refused(names, message):
    if message is None:
        assert choose_positive("x", names, FEWER_FIRST) == 1  # the very name, not the one that is alike
        return
    with pytest.raises(ConfigError, match=message):
        choose_positive("x", names, FEWER_FIRST)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("data.limit=60", "malignant, the rarer class; data.positive=benign takes the other"),
        ("data.positive=benign", "benign, as data.positive says"),
        ("data.positive=malignant", "malignant, the rarer class; data.positive=benign takes the other"),
    ],
)
def test_it_is_said(override, words):
    data = load_data(resolve(["data=breast_cancer", override]).config)
    assert describe_positive(data) == words
    assert positive_fact(data) == {"positive": words.partition(",")[0]}


def test_of_other_data_nothing_is_said():
    data = load_data(resolve(["data=iris"]).config)
    assert (describe_positive(data), positive_fact(data)) == ("", {})


def test_a_configuration_of_an_earlier_version_takes_class_1():
    config = resolve(["data=breast_cancer"]).config
    del config["data"]["positive"]
    assert load_data(config).positive == 1
