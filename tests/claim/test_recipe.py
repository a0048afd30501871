"""Recipes: each can be read, names what is there, and can be typed."""

import math
from importlib import import_module
from inspect import signature

import pytest

from dlexp.claim import recipe
from dlexp.claim.reproduce import describe
from dlexp.config.resolve import resolve
from dlexp.error import ConfigError

NAMES = recipe.names()


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_says_how_it_is_judged_and_when_it_must_fail(name):
    read = recipe.read(name)
    assert ("train" in read) != ("compute" in read)
    assert read["claim"].endswith(".")
    low, high = read["expected"]
    assert -math.inf < low <= high
    assert recipe.swapped(read) != read


@pytest.mark.parametrize("name", [name for name in NAMES if "train" in recipe.read(name)])
def test_the_networks_of_a_claim_can_be_trained_by_its_commands(name):
    for read in (recipe.read(name), recipe.swapped(recipe.read(name))):
        assert "train" in read
        assert 1 <= len(read["train"]["settings"]) <= 2
        for setting in read["train"]["settings"]:
            resolve([*read["train"]["common"], *setting["overrides"]])
    read = recipe.read(name)
    assert "train" in read
    assert len(describe(name)["commands"]) == len(read["train"]["settings"])


@pytest.mark.parametrize("name", [name for name in NAMES if "compute" in recipe.read(name)])
def test_the_function_of_a_claim_takes_its_arguments(name):
    for read in (recipe.read(name), recipe.swapped(recipe.read(name))):
        assert "compute" in read
        module, _, function = read["compute"]["function"].partition(".")
        measure = getattr(import_module(f"dlexp.claim.measure.{module}"), function)
        signature(measure).bind(0, **read["compute"]["arguments"])


def test_an_unknown_claim_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match=r"reproduce: got he-thirty-layer; did you mean he-thirty-layers\?"):
        recipe.read("he-thirty-layer")


def test_an_unknown_field_of_a_recipe_is_refused(tmp_path, monkeypatch):
    (tmp_path / "x.yaml").write_text("source: a\nclaim: b.\nsurprise: 1\n")
    monkeypatch.setattr(recipe, "FOLDER", tmp_path)
    recipe.read.cache_clear()
    with pytest.raises(ConfigError, match=r"x\.yaml: "):
        recipe.read("x")
