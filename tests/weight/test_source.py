"""Files of weights by name: read whatever wrote them, and never run."""

import argparse
import pickle
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from dlexp.error import ConfigError
from dlexp.weight.source import read_weights

WEIGHTS = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.tensor([1.0, 2.0]), "n": torch.tensor(3)}


@pytest.mark.parametrize("form", ["safetensors", "pth", "wrapped", "model", "script", "other", "old"])
def test_tensors_by_name(form, tmp_path):
    path = tmp_path / ("w.safetensors" if form == "safetensors" else "w.pth")
    if form == "safetensors":
        save_file(WEIGHTS, path)
    else:
        wrapped = {
            "wrapped": {"state_dict": WEIGHTS, "epoch": 3},
            "model": {"model": WEIGHTS, "model_ema": WEIGHTS},
            "script": {"model": WEIGHTS, "args": argparse.Namespace(lr=0.1), "optimizer": {"state": {}}},
            "other": {"generator": WEIGHTS, "loss": torch.tensor(1.0)},
        }
        torch.save(wrapped.get(form, WEIGHTS), path, _use_new_zipfile_serialization=form != "old")
    torch.testing.assert_close(read_weights(str(path), "init_from.run"), WEIGHTS, rtol=0, atol=0)


def test_a_file_that_changed_is_read_anew(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file(WEIGHTS, path)
    assert read_weights(str(path), "init_from.run")["n"] == 3
    save_file({**WEIGHTS, "n": torch.tensor([4, 5])}, path)
    assert read_weights(str(path), "init_from.run")["n"].tolist() == [4, 5]


class Evil:
    def __reduce__(self):
        return print, ("it ran",)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("w.pth", pickle.dumps({"a": Evil()}), "it cannot be read as weights by name"),
        ("w.safetensors", b"no", "it cannot be read as weights by name"),
        ("w.pth", b"", "it cannot be read as weights by name"),
        ("w.pt2", b"PK no", "no archive of torch.export"),
    ],
)
def test_what_is_no_file_of_weights_is_refused_and_not_run(name, content, message, tmp_path, capsys):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        read_weights(str(tmp_path / name), "init_from.run")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "it ran" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [{}, [1, 2], {"a": 1}, torch.zeros(3), {"state_dict": [1]}])
def test_other_content_is_refused(content, tmp_path):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(ConfigError, match=r"by name: a \.safetensors or a state_dict is needed"):
        read_weights(str(tmp_path / "w.pth"), "init_from.run")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": WEIGHTS, "b": WEIGHTS}, "it holds those of several nets, a, b; save one of them alone"),
        (
            torch.nn.Linear(1, 1),
            "it holds torch.nn.modules.linear.Linear, which only running the file would make; save",
        ),
    ],
)
def test_what_holds_more_is_refused_with_its_cure(content, message, tmp_path):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(ConfigError, match=message):
        read_weights(str(tmp_path / "w.pth"), "init_from.run")


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(ConfigError, match="there is no such file"):
        read_weights(str(tmp_path / "absent.pth"), "init_from.run")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_weights(str(tmp_path), "init_from.run")


def test_an_archive_without_weights(tmp_path):
    with zipfile.ZipFile(tmp_path / "w.pt2", "w") as archive:
        archive.writestr("x/readme", "nothing")
    with pytest.raises(ConfigError, match="no list of weights in it"):
        read_weights(str(tmp_path / "w.pt2"), "init_from.run")
