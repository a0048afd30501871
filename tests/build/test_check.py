"""What is refused before a run folder is made."""

import os
from dataclasses import replace

import pytest
import torch
from torch import nn

from dlexp.build.check import check_destination, check_model
from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.error import ConfigError


class TwoOutputs(nn.Module):
    def forward(self, x):
        return x.flatten(1)[:, :10], x


@pytest.fixture(scope="module")
def built():
    return assemble(resolve(["data.limit=50", "tracking=none", "dropout=inverted"]).config)


def test_a_model_that_fits_is_left_as_it_was(built):
    before = {name: value.clone() for name, value in built.model.state_dict().items()}
    built.model.train()
    check_model(built)
    assert built.model.training
    assert all(torch.equal(before[name], value) for name, value in built.model.state_dict().items())


@pytest.mark.parametrize("words", ["CUDA out of memory", "CUDA error: an illegal memory access was encountered"])
def test_what_a_device_cannot_do_is_no_fault_of_the_shapes(built, words):
    class Model(nn.Module):
        def forward(self, x):
            raise RuntimeError(words)

    with pytest.raises(RuntimeError, match=words):
        check_model(replace(built, models=[Model()]))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Linear(3, 10), r"model: cannot take examples of shape \[1, 8, 8\] \(.*\); choose other sizes"),
        (
            nn.Sequential(nn.Flatten(), nn.Linear(64, 9)),
            r"model: got outputs \[2, 9\] for two examples; \[2, 10\] are",
        ),
        (TwoOutputs(), r"model: got outputs tuple for two examples; \[2, 10\] are needed"),
    ],
)
def test_a_model_that_does_not_fit_says_what_is_wrong(built, model, message):
    with pytest.raises(ConfigError, match=message):
        check_model(replace(built, models=[model]))


def test_folders_that_can_be_made(tmp_path):
    check_destination(tmp_path)
    check_destination(tmp_path / "not" / "yet" / "there")


def test_a_folder_without_the_right_to_write(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(ConfigError, match=r"runs_dir: got .*x; .* cannot be written to, choose another folder"):
        check_destination(tmp_path / "x")


def test_a_beta_that_no_metric_of_values_reads_is_refused():
    values = assemble(resolve(["data=diabetes", "metric.beta=3", "tracking=none"]).config)
    with pytest.raises(
        ConfigError, match=r"metric\.beta: got 3; the data have values, and fbeta is a metric of classes"
    ):
        check_model(values)
    check_model(assemble(resolve(["data=wine", "metric.beta=3", "tracking=none"]).config))
