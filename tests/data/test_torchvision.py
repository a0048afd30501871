import struct
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision.datasets

from dlexp.data.torchvision import CIFAR10, MNIST, SVHN, FashionMNIST
from dlexp.error import ConfigError, DataError


@pytest.fixture
def idx_folder(tmp_path):
    """Write files of MNIST's form: 60 training and 20 test images of 28 x 28."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    draw = np.random.default_rng(0)
    written = {}
    for part, num in (("train", 60), ("t10k", 20)):
        images = draw.integers(0, 256, (num, 28, 28), dtype=np.uint8)
        labels = (np.arange(num) % 10).astype(np.uint8)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4i", 2051, num, 28, 28) + images.tobytes())
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 2049, num) + labels.tobytes())
        written[part] = images
    return tmp_path, written


def test_mnist_files(idx_folder):
    root, written = idx_folder
    dataset = MNIST(root=str(root), limit=20).load()
    assert dataset.inputs.shape == (80, 28, 28, 1)
    assert dataset.inputs.dtype == torch.uint8
    assert dataset.inputs[dataset.test, :, :, 0].equal(torch.from_numpy(written["t10k"]))
    assert dataset.test.tolist() == list(range(60, 80))
    assert (len(dataset.train), len(dataset.val)) == (20, 12)
    assert dataset.targets.tolist() == [i % 10 for i in range(60)] + [i % 10 for i in range(20)]


def test_damaged_file(idx_folder):
    root, _ = idx_folder
    path = root / "MNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"^mnist: not complete in"):
        MNIST(root=str(root)).load()


def test_absent_without_download(tmp_path):
    with pytest.raises(DataError, match=r"^fashion_mnist: not complete in .*set data.download=true, or data.root"):
        FashionMNIST(root=str(tmp_path), download=False).load()


def test_absent_and_offline(tmp_path, monkeypatch, capsys):
    def refuse(self):
        print("Downloading")
        raise URLError("Name or service not known")

    monkeypatch.setattr(torchvision.datasets.CIFAR10, "download", refuse)
    with pytest.raises(
        DataError, match=r"^cifar10: not complete in .*Name or service.*run once with a network"
    ) as error:
        CIFAR10(root=str(tmp_path)).load()
    assert "\n" not in str(error.value)
    assert capsys.readouterr().out == ""


def test_channels_first_sets(monkeypatch):
    data = np.random.default_rng(0).integers(0, 256, (40, 3, 32, 32), dtype=np.uint8)

    def constructor(root, download, split):
        return SimpleNamespace(data=data, labels=np.arange(40) % 10)

    monkeypatch.setattr(torchvision.datasets, "SVHN", constructor)
    dataset = SVHN().load()
    assert dataset.inputs.shape == (80, 32, 32, 3)
    assert dataset.inputs[3, 4, 5].tolist() == data[3, :, 4, 5].tolist()
    with pytest.raises(ConfigError, match="task: got regression"):
        SVHN().load("regression")
