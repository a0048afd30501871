"""The likeliest cure of an unknown key."""

import pytest

from dlexp.config.key import unknown_key

GROUPS = {"model": ["own"], "norm": ["none"]}
KEYS = ["model", "model._target_", "model.size", "norm", "trainer.epochs", "trainer.size", "seed"]


@pytest.fixture
def config_dir(tmp_path):
    for name, text in {"model/own.yaml": "_target_: a.B\nsize: 1\ndepth: 2\n", "norm/none.yaml": "{}\n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("model.depth", "unknown key model.depth: it has no effect here; model=own has it"),
        ("model.siez", "unknown key model.siez; did you mean model.size?"),
        ("model.dept", "unknown key model.dept; did you mean model.depth? model=own has it"),
        ("epochs", "unknown key epochs; did you mean trainer.epochs?"),
        ("trainr.size", "unknown key trainr.size; did you mean trainer.size?"),
        ("sede", "unknown key sede; did you mean seed?"),
        ("model._target", "unknown key model._target; see `dlexp options model`"),
        ("norm.zzz", "unknown key norm.zzz; see `dlexp options norm`"),
        ("qqq", "unknown key qqq; see `dlexp options`"),
        ("é" * 100, f"unknown key {'é' * 57}...; see `dlexp options`"),
    ],
)
def test_cures(config_dir, key, message):
    assert str(unknown_key(key, KEYS, GROUPS, config_dir)) == message
