"""Benchmark image sets, downloaded and read by torchvision, then held as one tensor of bytes.

torchvision is imported when a set is loaded, not before: its import costs seconds.
"""

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dlexp.data.dataset import Dataset
from dlexp.data.split import ValSplit
from dlexp.data.target import class_task
from dlexp.error import DataError
from dlexp.type import Place


@dataclass(frozen=True)
class Downloaded(ValSplit):
    """The parameters of a set that torchvision downloads; its official test part is kept as test part.

    Args:
        root: Folder that holds the files, relative to the working directory.
        download: Whether to fetch what is absent.
    """

    root: Place = "data"
    download: bool = True

    SIDE, CHANNELS, NUM_CLASSES = 32, 3, 10

    def blank(self, task: str = "auto") -> Dataset:
        """Return one black image of the set's shape without reading the set, for those who need only the shape."""
        inputs = torch.zeros(1, self.SIDE, self.SIDE, self.CHANNELS, dtype=torch.uint8)
        names, none = [str(k) for k in range(self.NUM_CLASSES)], torch.arange(0)
        task = class_task(task, self.NUM_CLASSES)
        name = type(self).__name__
        return Dataset(name, task, inputs, torch.zeros(1, dtype=torch.int64), torch.arange(1), none, none, names)

    def _load(self, name: str, torchvision_class: str, task: str, names: list[str] | None = None) -> Dataset:
        pieces = [self._part(name, torchvision_class, is_train) for is_train in (True, False)]
        inputs = torch.cat([_images(piece.data) for piece in pieces])
        targets = torch.cat([_labels(piece) for piece in pieces])
        class_names = names or list(pieces[0].classes)
        num_train = len(pieces[0].data)
        official = torch.arange(num_train, len(targets))
        train, val, test = self.divide(targets, test=official, class_names=class_names)
        task = class_task(task, len(class_names))
        return Dataset(name, task, inputs, targets, train, val, test, class_names=class_names)

    def _part(self, name: str, torchvision_class: str, is_train: bool) -> Any:
        import torchvision.datasets

        split = {"split": "train" if is_train else "test"} if name == "svhn" else {"train": is_train}
        constructor = getattr(torchvision.datasets, torchvision_class)
        try:
            # torchvision prints to stdout, which belongs to --json.
            with contextlib.redirect_stdout(sys.stderr):
                return constructor(self.root, download=self.download, **split)
        except (RuntimeError, OSError, ValueError, EOFError) as error:
            reason = " ".join(str(error).split())[:160]
            how = (
                "downloading failed; run once with a network, or copy the set's files there"
                if self.download
                else "set data.download=true, or data.root to where the set is"
            )
            raise DataError(f"{name}: not complete in {Path(self.root).absolute()} ({reason}); {how}") from error


@dataclass(frozen=True)
class MNIST(Downloaded):
    """MNIST, 70,000 grey images of handwritten digits, 28 x 28, 10 classes; 12 MB download.

    References:
        Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998), Gradient-based Learning Applied to Document Recognition.
    """

    SIDE, CHANNELS = 28, 1

    def load(self, task: str = "auto") -> Dataset:
        """Return the images as (70000, 28, 28, 1) bytes, the last 10,000 as test part."""
        return self._load("mnist", "MNIST", task, [str(digit) for digit in range(10)])


@dataclass(frozen=True)
class FashionMNIST(Downloaded):
    """Fashion-MNIST, 70,000 grey images of clothes, 28 x 28, 10 classes; 30 MB download.

    References:
        H. Xiao, K. Rasul, R. Vollgraf (2017), Fashion-MNIST, arXiv:1708.07747.
    """

    SIDE, CHANNELS = 28, 1

    def load(self, task: str = "auto") -> Dataset:
        """Return the images as (70000, 28, 28, 1) bytes, the last 10,000 as test part."""
        return self._load("fashion_mnist", "FashionMNIST", task)


@dataclass(frozen=True)
class CIFAR10(Downloaded):
    """CIFAR-10, 60,000 color photos of 32 x 32, 10 classes; 170 MB download.

    References:
        A. Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images, section 3.1.
    """

    def load(self, task: str = "auto") -> Dataset:
        """Return the images as (60000, 32, 32, 3) bytes, the last 10,000 as test part."""
        return self._load("cifar10", "CIFAR10", task)


@dataclass(frozen=True)
class CIFAR100(Downloaded):
    """CIFAR-100, 60,000 color photos of 32 x 32, 100 classes; 170 MB download.

    References:
        A. Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images, section 3.1.
    """

    NUM_CLASSES = 100

    def load(self, task: str = "auto") -> Dataset:
        """Return the images as (60000, 32, 32, 3) bytes, the last 10,000 as test part."""
        return self._load("cifar100", "CIFAR100", task)


@dataclass(frozen=True)
class SVHN(Downloaded):
    """Street View House Numbers, 99,289 color photos of digits, 32 x 32, 10 classes; 250 MB download.

    References:
        Y. Netzer et al. (2011), Reading Digits in Natural Images with Unsupervised Feature Learning.
    """

    def load(self, task: str = "auto") -> Dataset:
        """Return the images as (99289, 32, 32, 3) bytes, the last 26,032 as test part."""
        return self._load("svhn", "SVHN", task, [str(digit) for digit in range(10)])


def _images(data: Any) -> torch.Tensor:
    """Return (N, H, W, C) bytes from (N, H, W), (N, H, W, C) or, as SVHN has it, (N, C, H, W)."""
    images = torch.as_tensor(np.ascontiguousarray(data))
    if images.dim() == 3:
        return images.unsqueeze(-1)
    return images.permute(0, 2, 3, 1).contiguous() if images.shape[1] == 3 else images


def _labels(piece: Any) -> torch.Tensor:
    return torch.as_tensor(piece.labels if hasattr(piece, "labels") else piece.targets, dtype=torch.int64)
