"""`launcher.devices=N`: taken off the settings, refused where it means nothing."""

import pytest

from dlexp.error import ConfigError
from tests.command import run

take_devices = __import__("importlib").import_module("dlexp.cli.devices").take_devices


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    for name in ("WORLD_SIZE", "RANK"):
        monkeypatch.delenv(name, raising=False)


def test_the_number_is_taken_off_the_settings():
    assert take_devices(["model=cnn", "launcher.devices=2", "seed=1"]) == (2, ["model=cnn", "seed=1"])
    assert take_devices(["launcher.devices=2", "launcher.devices=3"]) == (3, [])
    assert take_devices(None) == (1, [])


@pytest.mark.parametrize("text", ["0", "-1", "2.5", "two", "", "²"])
def test_what_is_no_number_of_devices(text):
    with pytest.raises(ConfigError, match=f"launcher.devices: got {text}; an integer >= 1 is needed"):
        take_devices([f"launcher.devices={text}"])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["train", "launcher.devices=x"], "launcher.devices: got x; an integer >= 1 is needed"),
        (
            ["sweep", "launcher.devices=2", "seed=1,2"],
            "launcher.devices: got 2; a trial or fold trains on one device; `dlexp train` is divided over many",
        ),
        (
            ["cv", "launcher.devices=2"],
            "launcher.devices: got 2; a trial or fold trains on one device; `dlexp train` is divided over many",
        ),
        (
            ["train", "launcher.devices=2", "--verify-trial", "last"],
            "--verify-trial: got many devices too; that is done on one, so leave launcher.devices out",
        ),
        (
            ["train", "launcher.devices=2", "trainer.profile=true"],
            "trainer.profile: got true; updates over many devices are not profiled, train on one for it",
        ),
        (
            ["train", "launcher.devices=9", "trainer.batch_size=8"],
            "trainer.batch_size: got 8; 9 devices need at least 9",
        ),
        (["train", "launcher.devices=2", "modle=cnn"], "unknown key modle; did you mean model?"),
    ],
)
def test_one_line_and_exit_2(tmp_path, arguments, line):
    done = run(tmp_path, *arguments)
    assert (done.returncode, done.stderr) == (2, f"config error: {line}\n")
    assert not (tmp_path / "runs").exists()


def test_under_torchrun_the_number_is_torchrun_s(monkeypatch, tmp_path):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    done = run(tmp_path, "train", "launcher.devices=2")
    assert "launcher.devices: got 2 under torchrun, which says how many there are; leave it out" in done.stderr


def test_one_device_is_a_training_as_ever(tmp_path):
    done = run(tmp_path, "train", "launcher.devices=1", "data.limit=40", "trainer.epochs=1", "tracking=none")
    assert done.returncode == 0
    assert "devices, each" not in done.stdout
