"""The training loop's settings: what is allowed, as a user meets it."""

import pytest

from dlexp.config.resolve import resolve
from dlexp.error import ConfigError


@pytest.mark.parametrize(
    "override",
    [
        "trainer.epochs=0",
        "trainer.epochs=2.5",
        "trainer.batch_size=0",
        "trainer.accumulate=-1",
        "trainer.device=tpu",
        "trainer.precision=int8",
        "trainer.threads=0",
        "trainer.grad_clip=0",
        "trainer.grad_clip=.inf",
        "trainer.ema=1.0",
        "trainer.ema=-0.1",
        "trainer.patience=0",
        "trainer.min_delta=-1",
        "trainer.max_seconds=0",
        "trainer.eval_batch_size=0",
        "trainer.fuse=0",
        "trainer.fuse=on",
        "trainer.compile=perhaps",
    ],
)
def test_what_cannot_be_trained_with_is_refused_by_name(override):
    key = override.partition("=")[0]
    with pytest.raises(ConfigError) as error:
        resolve([override])
    assert str(error.value).startswith(f"{key}: got ")


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("trainer.epochs=1", 1),
        ("trainer.device=cuda:7", "cuda:7"),
        ("trainer.precision=bf16", "bf16"),
        ("trainer.threads=null", None),
        ("trainer.grad_clip=1e-3", 1e-3),
        ("trainer.ema=0", 0),
        ("trainer.ema=0.999", 0.999),
        ("trainer.min_delta=0", 0),
        ("trainer.fuse=off", "off"),
        ("trainer.fuse=8", 8),
    ],
)
def test_the_ends_of_what_is_allowed_are_allowed(override, expected):
    key = override.partition("=")[0].partition(".")[2]
    assert resolve([override, "trainer.patience=3"]).config["trainer"][key] == expected
