"""A file is asked as a run's own model is; what it cannot give is one line."""

import os
from pathlib import Path

import pytest
import torch

from dlexp import device
from dlexp.error import ConfigError, RunError
from dlexp.execution.save.saved_model import affine_of
from dlexp.export import file
from dlexp.export.file import ExportedModel
from tests import exported


def model(answer, shape=(2,), num_classes=3):
    told = exported.about(shape, num_classes)
    return ExportedModel(told, answer, affine_of(told), torch.float32)


def test_examples_are_asked_in_batches_and_joined():
    sizes = []

    def answer(x):
        sizes.append(tuple(x.shape))
        return (x[:, :1].repeat(1, 3),)

    inputs = torch.arange(20.0).reshape(10, 2)
    outputs = model(answer).outputs(inputs, 4)
    assert sizes == [(4, 2), (4, 2), (2, 2)]
    assert outputs[:, 2].tolist() == inputs[:, 0].tolist()


def test_pictures_arrive_channels_first_as_floats():
    seen = []
    pictures = torch.full((2, 4, 5, 3), 255, dtype=torch.uint8)
    graph = model(lambda x: (seen.append(x) or torch.zeros(len(x), 3),), (3, 4, 5))
    graph.outputs(pictures)
    assert (seen[0].shape, seen[0].dtype, seen[0].max()) == ((2, 3, 4, 5), torch.float32, 1.0)


def test_a_graph_that_gives_something_else_is_one_line():
    def fail(x):
        raise ValueError("no\nmore")

    with pytest.raises(RunError, match=r"gives outputs \[4, 2\], not \[4, 3\]"):
        model(lambda x: (torch.zeros(len(x), 2),)).outputs(torch.zeros(4, 2))
    with pytest.raises(RunError, match=r"does not compute \(no\); export the run anew"):
        model(fail).outputs(torch.zeros(4, 2))
    with pytest.raises(ConfigError, match=r"got examples of shape \[5\]; the model takes \[2\]"):
        model(fail).outputs(torch.zeros(4, 5))


def test_what_is_no_file_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert file.named("last") is None
    assert file.named("net.npy") is None
    with pytest.raises(RunError, match=r"net.onnx: no such file; `dlexp export RUN --out net.onnx` writes one"):
        file.named("net.onnx")
    os.mkfifo("pipe.onnx")
    (tmp_path / "folder.pt2").mkdir()
    for name in ("pipe.onnx", "folder.pt2"):
        with pytest.raises(RunError, match=f"{name}: cannot be read"):
            file.read(Path(name))


def test_a_file_larger_than_the_memory_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(device, "SMALL_BYTES", 0)
    monkeypatch.setattr(device, "free_bytes", lambda _: 7)
    (tmp_path / "net.safetensors").write_bytes(bytes(4))
    with pytest.raises(ConfigError, match=r"net.safetensors: got a file whose content would need .* are free on cpu"):
        file.read(tmp_path / "net.safetensors")


def test_a_graph_computes_on_the_cpu_only():
    with pytest.raises(ConfigError, match=r"--device: got cuda; the graph of a .onnx computes on the CPU"):
        file.parse(b"", Path("net.onnx"), "cuda")
