"""What a dry run promises, against hand arithmetic."""

import pytest
import torch
from torch import nn

from dlexp.build.probe import trace
from dlexp.config.resolve import resolve
from dlexp.error import ConfigError, DataError
from dlexp.job.train.dry_run import plan


def test_numbers_by_hand_and_nothing_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    document = plan(resolve(["model=softmax", "data.limit=100", "trainer.epochs=7", "trainer.batch_size=30"]))
    assert document["num_params"] == 64 * 10 + 10
    assert document["input_shape"] == [1, 8, 8]
    assert document["output_shape"] == [30, 10]
    assert document["steps"] == 7 * 4
    assert document["data"]["num_train"] == 100
    assert document["groups"] == [{"size": 1, "engine": "solo"}]
    assert document["memory"] > document["num_params"] * 4 * 2
    assert document["seconds"] >= 0
    assert list(tmp_path.iterdir()) == []


def test_the_trace_counts_what_autograd_keeps_once():
    model = nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 3))
    shape, saved_bytes = trace(model, (6,), 5)
    assert shape == [5, 3]
    # the inputs of both products; tanh keeps its output, which is the second one's input
    assert saved_bytes == 4 * (5 * 6 + 5 * 4)
    assert all(p.device.type == "cpu" for p in model.parameters())


def test_a_model_with_auxiliary_outputs_shows_its_main_one():
    class Two(nn.Module):
        def forward(self, x):
            return [x[:, :3], x[:, :1]]

    assert trace(Two(), (6,), 5)[0] == [5, 3]


def test_shapes_that_do_not_fit():
    with pytest.raises(ConfigError, match=r"model: got a batch of shape \[5, 6\]"):
        trace(nn.Linear(7, 2), (6,), 5)


@pytest.mark.parametrize(
    ("override", "kind"),
    [("trainer.monitor=val/acuracy", ConfigError), ("data.val_fraction=0", ConfigError), ("runs_dir=", ConfigError)],
)
def test_what_cannot_work_is_found(override, kind, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(kind):
        plan(resolve([f"runs_dir={tmp_path}/file/x" if override == "runs_dir=" else override]))


def test_absent_data_are_found(tmp_path):
    with pytest.raises(DataError, match="mnist"):
        plan(resolve(["data=mnist", f"data.root={tmp_path}", "data.download=false"]))


def test_mixed_precision_needs_less_memory():
    wide = [f"model.widths={[4000] * 2}", "data.limit=64"]
    full, half = (plan(resolve([*wide, f"trainer.precision={p}"]))["memory"] for p in ("fp32", "bf16"))
    assert half < full
    assert torch.get_default_dtype() == torch.float32
