"""Cures give way to what dlexp accepts."""

import pytest

from dlexp.config.resolve import resolve
from dlexp.diagnose.finding import cure, with_cure


@pytest.mark.parametrize(
    ("overrides", "override", "expected"),
    [
        (["init=normal", "init.std=1", "seed=1"], "init=kaiming_normal", ["seed=1", "init=kaiming_normal"]),
        (["optimizer=adam", "optimizer.lr=1"], "optimizer.lr=0.1", ["optimizer=adam", "optimizer.lr=0.1"]),
        (["+init=x", "initial=1"], "init=zeros", ["initial=1", "init=zeros"]),
    ],
)
def test_a_cure_takes_the_place_of_what_stood_there(overrides, override, expected):
    assert with_cure(overrides, override) == expected


def test_what_changes_nothing_or_is_refused_is_passed_over():
    composed = resolve(["tracking=none", "init=kaiming_normal"])
    override, command = cure(["init=kaiming_normal", "norm=nothing", "norm=group"], composed)
    assert override == "norm=group"
    assert command == "dlexp train tracking=none init=kaiming_normal norm=group"
    assert cure(["norm=nothing"], composed) == (None, None)
