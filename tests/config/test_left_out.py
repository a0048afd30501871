"""A fixed key that only some of the searched options have is said to be left out with the others."""

from dlexp.config.left_out import left_out
from dlexp.config.space import read_space


def lines(*overrides):
    return left_out(read_space(list(overrides))[0])


def test_a_key_of_some_options():
    told = lines("optimizer=sgd,momentum,adam", "optimizer.momentum=0.5", "optimizer.lr=0.1")
    assert told == ["optimizer.momentum=0.5 is used with optimizer=momentum, left out with sgd,adam"]


def test_a_block_that_some_models_use():
    told = lines("model=mlp,softmax", "activation=tanh", "model.widths=[8]")
    assert told == [
        "activation=tanh is used with model=mlp, left out with softmax",
        "model.widths=[8] is used with model=mlp, left out with softmax",
    ]


def test_what_all_use_and_what_is_searched_need_no_word():
    assert lines("optimizer=sgd,momentum", "optimizer.lr=0.1") == []
    assert lines("optimizer=sgd,momentum", "optimizer.momentum=0.1,0.2") == []
