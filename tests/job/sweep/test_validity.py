"""Settings that cannot be trained are told from the others, a structure at a time."""

import time
from pathlib import Path

import pytest
from torch import nn

from dlexp.build import probe
from dlexp.build.dataset import load_data
from dlexp.config.space import read_space
from dlexp.error import ConfigError, DlexpError
from dlexp.job.sweep import validity
from dlexp.job.sweep.validity import ValidityCheck, require_valid, skipped
from dlexp.search.strategy import Proposal

BASE = ["data.limit=200", "tracking=none"]


def check(*overrides):
    space, composed = read_space([*BASE, *overrides])
    data = load_data(composed.config)
    return ValidityCheck(space, lambda _config: data)


@pytest.mark.parametrize(
    ("overrides", "good", "bad", "words"),
    [
        (["trainer.batch_size=32,5000"], 32, 5000, "the training part has 200 examples"),
        (["model=mlp,cnn", "data=iris"], "mlp", "cnn", "needs images"),
        (["model=cnn", "model.channels=[8],[8,8,8,8,8]"], [8], [8, 8, 8, 8, 8], "cnn needs at least 32x32"),
        (["augment=none,flip_crop", "data=wine"], "none", "flip_crop", "needs images"),
        (["loss=cross_entropy,mse"], "cross_entropy", "mse", "loss: got mse"),
        (["norm=group", "norm.num_groups=4,7"], 4, 7, "must divide"),
        (["trainer.monitor=val/loss,val/acc"], "val/loss", "val/acc", "did you mean val/accuracy?"),
    ],
)
def test_valid_and_invalid_values(overrides, good, bad, words):
    tested = check(*overrides)
    (d,) = tested.space.dimensions
    assert tested.reason({d.key: good}) == ("", False)
    reason, is_fault = tested.reason({d.key: bad})
    assert (words in reason, is_fault) == (True, False)


def test_a_model_whose_shapes_do_not_fit(monkeypatch):
    def of(outer: int, num_outputs: int) -> None:
        def make(*_args, **_more):
            return nn.Sequential(nn.Flatten(), nn.Linear(outer, num_outputs))

        monkeypatch.setattr(probe, "build_module", make)
        monkeypatch.setattr(probe, "build_blank_model", make)

    def reason():
        return check("optimizer.lr=1,2").reason({"optimizer.lr": 1})[0]

    of(63, 10)
    assert reason().startswith("model: got a batch of shape [2, 1, 8, 8]")
    of(64, 9)
    assert reason() == "model: got outputs [2, 9]; [2, 10] are needed"
    monkeypatch.setattr(probe, "LARGE", 0)
    assert reason() == "model: got outputs [32, 9]; [32, 10] are needed"


def test_equal_structures_are_looked_at_once(monkeypatch):
    looks = []
    monkeypatch.setattr(validity, "reason_against", lambda config, _data: looks.append(config) or "")
    tested = check("optimizer.lr=interval(0.01,1)", "model.widths=[8],[16]", "seed=0,1")
    proposals = [Proposal(i, {"optimizer.lr": 0.01 + i / 4000, "model.widths": [8 + 8 * (i % 2)]}) for i in range(2000)]
    started = time.perf_counter()
    valid, invalid = tested.partition(proposals, 1)
    assert time.perf_counter() - started < 2
    assert (len(valid), len(invalid), len(looks)) == (2000, 0, 2)


def test_the_error_names_setting_reason_and_cure():
    tested = check("trainer.batch_size=32,5000")
    proposals = [Proposal(i, {"trainer.batch_size": size}) for i, size in enumerate((32, 5000))]
    valid, invalid = tested.partition(proposals, 1)
    with pytest.raises(ConfigError) as refused:
        require_valid(valid, invalid)
    message = str(refused.value)
    assert message.startswith(
        "1 of 2 settings cannot be trained: trainer.batch_size=5000: trainer.batch_size: got 5000"
    )
    assert "search.invalid=skip" in message
    with pytest.raises(ConfigError) as refused:
        require_valid([], invalid, "skip")
    assert str(refused.value) == invalid[0].reason
    assert require_valid(valid, invalid, "skip") == proposals[0]


FAULTY = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, width: int = 4, *, in_shape, num_outputs):
        super().__init__()
        self.layer = nn.Linear(torch.Size(in_shape).numel(), num_outputs)
        if width == 5:
            raise KeyError("boom")
        self.width = width

    def forward(self, x):
        if self.width == 6:
            raise ValueError("bang")
        return self.layer(x.flatten(1))
"""


def faulty(tmp_path, monkeypatch, widths):
    monkeypatch.chdir(tmp_path)
    Path("faulty_net.py").write_text(FAULTY)
    Path("own/model").mkdir(parents=True)
    Path("own/model/net.yaml").write_text("_target_: faulty_net.Net\nwidth: 4\n")
    space, composed = read_space([*BASE, "trusted=[faulty_net]", "model=net", f"model.width={widths}"], Path("own"))
    data = load_data(composed.config)
    tested = ValidityCheck(space, lambda _config: data)
    return tested.partition([Proposal(i, {"model.width": int(w)}) for i, w in enumerate(widths.split(","))], 1)


def test_what_the_users_code_raises_is_one_settings_fault(tmp_path, monkeypatch):
    valid, invalid = faulty(tmp_path, monkeypatch, "5,4,6")
    assert [(each.reason, each.is_fault) for each in invalid] == [
        ("error in faulty_net.py:10: 'boom' (KeyError)", True),
        ("model: got a batch of shape [2, 1, 8, 8]; bang (faulty_net.py:15)", True),
    ]
    assert require_valid(valid, invalid).settings == {"model.width": 4}  # the others train


def test_code_that_fails_under_every_setting_is_refused_at_once(tmp_path, monkeypatch):
    valid, invalid = faulty(tmp_path, monkeypatch, "5,6")
    with pytest.raises(DlexpError, match=r"error in faulty_net\.py:10: 'boom' \(KeyError\)"):
        require_valid(valid, invalid)


class Broken:
    """The data of a user's class that fails for one value."""

    def __init__(self, data):
        self.data, self.loads = data, []

    def __call__(self, config):
        self.loads.append(config["data"]["split_seed"])
        if config["data"]["split_seed"] == 100:
            raise KeyError("no such file")
        return self.data


def test_data_that_the_users_code_cannot_give_fail_their_setting_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(validity, "user_fault", lambda error: f"error in faulty_data.py:1: {error}")
    space, composed = read_space([*BASE, "data.split_seed=100,200"])
    proposals = [Proposal(i, {"data.split_seed": value}) for i, value in enumerate([100, 200])]
    load = Broken(load_data(composed.config))
    tested, failing = ValidityCheck(space, load), []
    for _ in range(2):  # the second look asks nobody
        valid, failing = tested.with_data(proposals, 1)
        assert [proposal.settings for proposal in valid] == [{"data.split_seed": 200}]
        assert [(each.reason, each.record()["status"]) for each in failing] == [
            ("error in faulty_data.py:1: 'no such file'", "failed")
        ]
    assert load.loads == [100, 200]
    assert skipped(failing) == ["fails data.split_seed=100: error in faulty_data.py:1: 'no such file'"]


def test_data_are_not_read_where_they_are_not_searched():
    space, _ = read_space([*BASE, "trainer.batch_size=10,20"])
    proposals = [Proposal(0, {"trainer.batch_size": 10})]
    assert ValidityCheck(space, lambda _config: pytest.fail("it was read")).with_data(proposals, 1) == (proposals, [])
