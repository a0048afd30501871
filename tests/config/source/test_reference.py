"""A reference is resolved when it is used."""

import pytest

from dlexp.config.source.reference import resolve_text
from dlexp.error import ConfigError


def test_the_value_stands_in_place_of_the_reference(monkeypatch):
    monkeypatch.setenv("DLEXP_TEST_TOKEN", r"a\1b")
    assert resolve_text("x${oc.env:DLEXP_TEST_TOKEN}y${oc.env:'DLEXP_TEST_TOKEN'}") == r"xa\1bya\1b"
    assert resolve_text("no reference: ${seed}") == "no reference: ${seed}"


def test_a_variable_that_is_not_set_is_named():
    with pytest.raises(ConfigError) as caught:
        resolve_text("x${oc.env:DLEXP_TEST_UNSET}")
    assert str(caught.value) == (
        "${oc.env:DLEXP_TEST_UNSET}: got no environment variable DLEXP_TEST_UNSET; set it and give the command again"
    )
    assert resolve_text("x${oc.env:DLEXP_TEST_UNSET,7}") == "x7"
