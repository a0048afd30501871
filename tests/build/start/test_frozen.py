"""What `freeze` means for a model, and what is refused."""

import pytest

from dlexp.build.model import build_module
from dlexp.build.start.frozen import freeze_layers
from dlexp.config.resolve import resolve
from dlexp.engine.freeze.mark import Frozen, is_still
from dlexp.error import ConfigError

HIDDEN = ("hidden.0.linear.weight", "hidden.0.norm.weight", "hidden.0.norm.bias")


def build(*overrides: str):
    config = resolve(["model.widths=[4,4]", *overrides]).config
    return build_module(config, (3,), 2, seed=0), config


@pytest.mark.parametrize(
    ("overrides", "frozen", "still"),
    [
        ([], (), ()),
        (["freeze=[hidden.0]"], HIDDEN, ("hidden.0.norm",)),
        (["freeze=[hidden.0]", "freeze.norm=false"], HIDDEN, ()),
        (["freeze=[hidden.0.linear]"], HIDDEN[:1], ()),
        (["freeze.all_but=[output,hidden.1]"], HIDDEN, ("hidden.0.norm",)),
        (["freeze=['*.bias']"], ("hidden.0.norm.bias", "hidden.1.norm.bias", "output.bias"), ()),
        (["freeze={layers: [hidden.0], norm: false}"], HIDDEN, ()),
    ],
)
def test_what_is_frozen(overrides, frozen, still):
    model, _ = build(*overrides)
    assert tuple(name for name, p in model.named_parameters() if not p.requires_grad) == frozen
    assert tuple(path for path, module in model.named_modules() if is_still(module)) == still


def test_what_is_marked_is_returned():
    model, config = build("freeze=[hidden.0]")
    assert freeze_layers(config, model) == Frozen(HIDDEN, ("hidden.0.norm",))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["freeze=[conv*]"],
            "freeze.layers: got conv*, which names no layer with weights; there are hidden.0.linear, hidden.0.norm, "
            "hidden.1.linear, hidden.1.norm, output",
        ),
        (["freeze=[hidden.0.activation]"], "freeze.layers: got hidden.0.activation, which names no layer with weights"),
        (
            ["freeze=[hidden*,output]"],
            "freeze.layers: got ['hidden*', 'output'], which freezes all of 5 layers; leave one to train, for example "
            "'freeze.all_but=[output]'",
        ),
        (["freeze=[hidden.0]", "freeze.all_but=[output]"], "beside freeze.layers=['hidden.0']; give one of them"),
        (["freeze.until=2"], "freeze.until: got 2 with nothing frozen; name layers, for example 'freeze=[hidden*]'"),
        (["freeze.norm=false"], "freeze.norm: got false with nothing frozen"),
        (
            ["freeze=[hidden.0]", "freeze.until=5", "trainer.epochs=5"],
            "freeze.until: got 5; less than trainer.epochs=5 is needed, else the layers are never trained",
        ),
        (["freeze.until=0", "freeze=[hidden.0]"], "freeze.until: got 0; an integer >= 1"),
        (["freeze=hidden.0"], "freeze.layers: got hidden.0; a list of texts is needed"),
    ],
)
def test_what_is_refused(overrides, message):
    with pytest.raises(ConfigError) as refused:
        build(*overrides)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
