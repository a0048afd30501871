"""Golden tests of Hydra's semi-internal parser behind the wrapper: what a release may not change unseen."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlexp.config.override import MAX_LENGTH, override_of, parse
from dlexp.error import ConfigError


@pytest.mark.parametrize(
    ("text", "key", "value", "action"),
    [
        ("optimizer.lr=0.1", "optimizer.lr", 0.1, "change"),
        ("optimizer.lr=1e-3", "optimizer.lr", 0.001, "change"),
        ("seed=7", "seed", 7, "change"),
        ("seed=1_000", "seed", 1000, "change"),
        ("model=resnet", "model", "resnet", "change"),
        ("model='resnet'", "model", "resnet", "change"),
        ('data.path="a b,c.npz"', "data.path", "a b,c.npz", "change"),
        ("data.path=/tmp/x-1.npz", "data.path", "/tmp/x-1.npz", "change"),
        ("trainer.device=cuda:0", "trainer.device", "cuda:0", "change"),
        ("trainer.ema=null", "trainer.ema", None, "change"),
        ("trainer.tf32=true", "trainer.tf32", True, "change"),
        ("model.widths=[64,32]", "model.widths", [64, 32], "change"),
        ("model={widths:[8],shortcut:true}", "model", {"widths": [8], "shortcut": True}, "change"),
        ("a=${b.c}", "a", "${b.c}", "change"),
        ("a=", "a", "", "change"),
        ("+a.b=1", "a.b", 1, "add"),
        ("++a.b=1", "a.b", 1, "force"),
        ("~a.b", "a.b", None, "delete"),
        ("~a.b=1", "a.b", None, "delete"),
    ],
)
def test_plain_values(text, key, value, action):
    (override,) = parse([text])
    assert (override.text, override.key, override.value, override.action) == (text, key, value, action)
    assert type(override.value) is type(value)
    assert not override.is_sweep


def test_numbers_that_are_not_finite():
    assert math.isnan(parse(["a=nan"])[0].value)
    assert parse(["a=-inf"])[0].value == -math.inf


@pytest.mark.parametrize(
    "value",
    [
        "1,2,3",
        "a,b",
        "[1,2],[3]",
        "range(0,5)",
        "interval(1e-5,1e-1)",
        "tag(log,interval(1e-4,1e-1))",
        "int(interval(1,5))",
        "choice(a,b)",
        "glob(*)",
    ],
)
def test_sweep_expressions_are_told_apart(value):
    (override,) = parse([f"a.b={value}"])
    assert override.is_sweep
    assert override.value is None


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["hello"], "'hello': not an override; write key=value, for example optimizer.lr=0.1"),
        (["a b=[1"], "'a b=[1': not an override; write key=value, for example optimizer.lr=0.1"),
        (["~a=цель"], "'~a=цель': not an override; write key=value, for example optimizer.lr=0.1"),
        (["=3"], "'=3': not an override; write key=value, for example optimizer.lr=0.1"),
        ([""], "'''': not an override; write key=value, for example optimizer.lr=0.1"),
        (["my.yaml"], "'my.yaml': got a file; pass its folder with --config-dir and choose it as group=option"),
        (["hydra.run.dir=x"], "hydra.run.dir: Hydra's runtime settings do not apply here; remove it"),
        (["hydra/launcher=x"], "hydra/launcher: Hydra's runtime settings do not apply here; remove it"),
        (["model@x=mlp"], "model@x=mlp: packages (@) are not used here; write model=..."),
        (["seed=1", "seed=2"], "seed: got two values; the first would have no effect, so remove one"),
        (["seed=1", "++seed=2"], "seed: got two values; the first would have no effect, so remove one"),
        (["a=" + "x" * MAX_LENGTH], f"override a={'x' * 28}...: got 10,002 characters; at most 10000 are allowed"),
    ],
)
def test_refusals(texts, message):
    with pytest.raises(ConfigError) as caught:
        parse(texts)
    assert str(caught.value) == message


def test_a_number_of_thousands_of_digits_is_refused():
    with pytest.raises(ConfigError, match="a="):
        parse(["a=" + "9" * 5000])


REFUSED_TEXTS = [
    *("цель", "my data (1).csv", ";", ",", "a=b.csv", "run=1/x.csv", "~/x.csv", "x[1].csv", "a#b", "'x", "[1", "\t"),
    *("[" * 5000, "{a:" * 3000),
]


@pytest.mark.parametrize("value", REFUSED_TEXTS)
def test_a_value_that_the_grammar_refuses_is_the_text_as_it_was_typed(value):
    (override,) = parse([f"a.b={value}"])
    assert (override.key, override.value, override.is_literal, override.is_sweep) == ("a.b", value, True, False)


def test_lists_of_such_texts_are_lists():
    (override,) = parse(["a.b=[цель, x(1), 3]"])
    assert override.value == ["цель", "x(1)", 3]
    (override,) = parse(["a.b=[&a цель, *a]"])
    assert override.value == "[&a цель, *a]"  # no aliases: they could stand for millions


@given(st.text(st.sampled_from("\\'\"a b,[](){}:;=\n\té$~#%"), min_size=1))
def test_a_text_is_read_back_from_its_override(text):
    (override,) = parse([override_of("a.b", text)])
    assert (override.value, override.is_literal) == (text, False)
