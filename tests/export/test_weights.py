"""A .safetensors from anybody: the run's own bits, and nothing built that a run folder's configuration may not name."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save

from dlexp.build.model import build_module
from dlexp.config.resolve import resolve
from dlexp.error import RunError
from dlexp.export import facts, weights
from tests import exported

WHERE = Path("s.safetensors")


@pytest.fixture(scope="module")
def written():
    """The content of a file, and the model in it."""
    told = exported.about((4,), 3)
    config = resolve(["data=iris", "model.widths=[5]", "activation=prelu"]).config
    model = exported.saved(build_module(config, (4,), 3, seed=1), told)
    said = exported.said(told) | {"config": {key: node for key, node in config.items() if key not in facts.PRIVATE}}
    return weights.write(model, said), model, said


def test_outputs_are_equal_to_the_bit(written):
    content, model, said = written
    told, read = weights.read(content, WHERE, "cpu")
    inputs = exported.draw((4,), 50)
    assert torch.equal(read.outputs(inputs), model.outputs(inputs))
    assert told == json.loads(json.dumps(said))


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("os.system", {"model": {"_target_": "os.system", "command": "touch pwned"}}),
        ("evil", {"model": {"_target_": "evil.Net"}, "trusted": ["evil"]}),
        ("names or shapes differ", {"model": {"_target_": "dlexp.model.mlp.MLP", "widths": [10**9, 10**9]}}),
        ("missing groups: model", {"model": ...}),
        ("model", {"model": [1]}),
    ],
)
def test_a_strange_configuration_is_one_line_and_runs_nothing(written, words, change, tmp_path, monkeypatch):
    content, _, said = written
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.py").write_text("open('pwned', 'w')\n")
    config = {key: value for key, value in (said["config"] | change).items() if value is not ...}
    strange = save(load(content), {"dlexp": json.dumps(said | {"config": config})})
    with pytest.raises(RunError, match=words) as raised:
        weights.read(strange, WHERE, "cpu")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "pwned").exists()


def test_damaged_files_are_one_line(written):
    content = written[0]
    for damaged in (b"", content[:100], content[:-5], b"\xff" * 100, b"\x02" + bytes(7) + b"[]", content + b"more"):
        with pytest.raises(RunError) as raised:
            weights.read(damaged, WHERE, "cpu")
        assert "\n" not in str(raised.value)
