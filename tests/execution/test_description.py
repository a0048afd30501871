"""What a manifest says of data, model, device and seed, and the file of each part's rows."""

import numpy as np
import pytest
import torch

from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.execution.description import describe_run, warn_of_device, write_parts
from dlexp.run.folder import RunFolder


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (
            ["model.widths=[8]", "norm=none", "seed=5"],
            {
                "task": "multiclass",
                "seed": 5,
                "device": "cpu",
                "model": "MLP",
                "num_params": 64 * 8 + 8 + 8 * 10 + 10,
                "num_outputs": 10,
                "monitor": {"metric": "val/accuracy", "mode": "max", "min_delta": 0.0},
            },
        ),
        (
            ["data=diabetes", "model=softmax"],
            {"task": "regression", "num_params": 11, "num_outputs": 1, "in_shape": [10], "model": "Softmax"}
            | {"monitor": {"metric": "val/loss", "mode": "min", "min_delta": 0.0}, "seed": 0},
        ),
    ],
    ids=["classes", "values"],
)
def test_the_facts_of_a_run(overrides, expected):
    config = resolve(["trainer.device=cpu", "trainer.threads=1", *overrides]).config
    built = assemble(config)
    about = describe_run(built, config)
    assert {key: about[key] for key in expected} == expected
    assert about["threads"] == 1
    assert about["test_openings"] == 0
    assert about["data"]["fingerprint"] == built.dataset.fingerprint


def test_the_rows_of_each_part_are_written(tmp_path):
    data = assemble(resolve(["data.limit=60"]).config).dataset
    folder = RunFolder.create(tmp_path, "digits", "x", config={}, overrides=[], manifest={"kind": "train"})
    write_parts(folder, data)
    with np.load(folder.path / "split.npz") as parts:
        assert {name: parts[name].tolist() for name in parts} == {
            "train": data.train.tolist(),
            "val": data.val.tolist(),
            "test": data.test.tolist(),
        }
        assert len(parts["train"]) == 60
    folder.unlock()


def test_what_goes_on_on_another_kind_of_device_is_told():
    for began, now in [("cuda:0", "cuda:1"), ("cpu", "cpu"), ("mps", "mps")]:
        assert warn_of_device(began, torch.device(now)) == []
    expected = "begun on cuda:0, it goes on on cpu: its numbers are neither's; trainer.device names where"
    assert warn_of_device("cuda:0", torch.device("cpu")) == [expected]
    assert warn_of_device("cpu", torch.device("cuda", 1))[0].startswith("begun on cpu, it goes on on cuda: ")
