"""A run trained on one device is evaluated, verified and predicted with on another."""

import pytest
import torch

from dlexp.build.place import KEY, choose_device, on_device, require_device
from dlexp.config.resolve import resolve
from dlexp.error import ConfigError
from dlexp.job.cv import cv
from dlexp.job.sweep import sweep
from dlexp.job.train import train
from dlexp.run.folder import RunFolder

CONFIG = {"seed": 1, "trainer": {"device": "cuda", "epochs": 3}}


def test_a_given_device_takes_the_place_of_the_runs():
    assert on_device(CONFIG, "cpu") == {"seed": 1, "trainer": {"device": "cpu", "epochs": 3}}
    assert CONFIG["trainer"]["device"] == "cuda"


def test_the_runs_device_stays_where_none_is_given():
    assert on_device({"trainer": {"device": "cpu"}}, None) == {"trainer": {"device": "cpu"}}


def _never(_about):
    raise AssertionError("nothing begins")


without_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is present")
SEEN = r"got cuda; torch \(built \w+ CUDA.*\) sees 0 CUDA devices;"


@without_cuda
@pytest.mark.parametrize(("given_by", "cure"), [("--device", "--device cpu"), (KEY, "trainer.device=cpu")])
def test_a_device_that_is_not_here_is_an_error_that_names_what_takes_another(given_by, cure):
    with pytest.raises(ConfigError, match=f"^trainer.device: {SEEN} the run was trained elsewhere, give {cure}$"):
        on_device(CONFIG, None, given_by)


@without_cuda
@pytest.mark.parametrize("given_by", ["--device", KEY])
def test_a_device_that_is_asked_for_and_not_here_is_named_as_it_was_given(given_by):
    with pytest.raises(ConfigError, match=f"^{given_by}: {SEEN} choose auto or cpu$"):
        on_device({"trainer": {"device": "cpu"}}, "cuda", given_by)


@without_cuda
def test_what_began_on_a_device_that_is_not_here_does_not_go_on():
    with pytest.raises(ConfigError, match=f"^trainer.device: {SEEN} go on where there is such a device, or begin anew"):
        require_device(CONFIG)
    require_device({"trainer": {"device": "auto"}})


@without_cuda
@pytest.mark.parametrize("kind", ["train", "sweep", "cv"])
def test_a_resume_on_a_machine_without_the_device_says_what_is_to_be_done(tmp_path, kind):
    words = ["trainer.device=cuda", f"runs_dir={tmp_path}"]
    manifest = {"kind": kind, "status": "interrupted", "threads": None, "config_dir": None}
    config = resolve(words, job=kind).config
    folder = RunFolder.create(tmp_path, "digits", "", config=config, overrides=words, manifest=manifest)
    folder.unlock()
    go_on = {
        "train": lambda: train.resume("last", tmp_path, announce=_never),
        "sweep": lambda: sweep.resume("last", tmp_path, None, announce=_never),
        "cv": lambda: cv.resume("last", tmp_path, announce=_never),
    }[kind]
    with pytest.raises(ConfigError, match=f"^trainer.device: {SEEN} go on where there is such a device, or begin anew"):
        go_on()


@pytest.mark.parametrize("name", ["gpu", "cuda:9", ""])
def test_a_name_of_no_device_is_refused(name):
    with pytest.raises(ConfigError, match=f"--device: got {name}; choose auto, cpu"):
        choose_device(name)
