from pathlib import Path

import pytest
import yaml

from dlexp.config.source.spelling import check_spelling
from dlexp.error import ConfigError


def check(text: str) -> None:
    check_spelling(Path("x.yaml"), yaml.compose(text, Loader=yaml.SafeLoader))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# X.\nseed: 010", "x.yaml, line 2: got 010, which YAML reads as 8; write 8, or '010' for the text"),
        ("a:\n  - 7\n  - -017", "x.yaml, line 3: got -017, which YAML reads as -15"),
        ("a: {b: 1:30}", "x.yaml, line 1: got 1:30, which YAML reads as 90"),
        ("a: 1:30.5", "got 1:30.5, which YAML reads as 90.5"),
        ("a: 1\nb: 2\na: 3", "x.yaml, line 3: got a again, which line 1 has; remove one"),
        ("o:\n  lr: 1\n  lr: 2", "x.yaml, line 3: got lr again, which line 2 has"),
        (
            "hydra:\n  run: {dir: x}",
            "x.yaml, line 1: got hydra; of Hydra's own settings dlexp reads hydra.sweeper.params alone",
        ),
        ("hydra: {sweeper: {params: {a: '1,2'}, _target_: x}}", "line 1: got hydra; of Hydra's own settings"),
        ("hydra: {sweeper: {params: 3}}", "line 1: got hydra; of Hydra's own settings"),
        ("hydra: 3", "line 1: got hydra; of Hydra's own settings"),
        (
            "defaults:\n  - override /hydra/launcher: basic",
            "line 2: got override /hydra/launcher; of Hydra's own settings",
        ),
    ],
)
def test_what_would_be_read_otherwise_or_by_nobody_is_refused(text, message):
    with pytest.raises(ConfigError) as caught:
        check(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "seed: 10\na: '010'\nb: \"1:30\"\nc: 1_000\nd: 0\ne: 0.5\nf: 1e-3\ng: 0x10\nh: 2024-01-01",
        "a: {hydra: 1}\nb: {a: 1}\nc: 12:30pm",
        "hydra: {sweeper: {params: {optimizer.lr: '0.1,1'}}}",
        "a: &x {lr: 1}\nb:\n  <<: *x\n  lr: 2\nc: *x",
    ],
)
def test_what_is_read_as_it_is_written_passes(text):
    check(text)
