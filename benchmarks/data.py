"""The resident data path against torchvision's DataLoader: samples per second, and the memory that it takes.

Both crop (padding 4), mirror and normalise 32 x 32 color images of bytes into float batches of 256. The reference is
what a careful user writes: a Dataset with per-sample transforms.v2, a DataLoader with 2 persistent workers. Required:
at least 10 times the samples per second (the ratio theirs / ours of wall time), and memory of the bytes plus 10 %.
"""

import gc
import statistics
import sys

import psutil
import torch
from torch import Tensor
from torch.utils import data
from torchvision.transforms import v2

from benchmarks.measure import command_line, interleave, ratio, write
from dlexp.augment.flip_crop import FlipCrop
from dlexp.data.feed import Resident
from dlexp.data.synthetic import Fake
from dlexp.normalize import Standard
from dlexp.random import generator

NUM, BATCH, REPEATS, REQUIRED = 20_000, 256, 7, 10.0


class PerSample(data.Dataset):
    """Transforms images one by one, as torchvision's sets do."""

    def __init__(self, images: Tensor, targets: Tensor, mean: list[float], std: list[float]):
        """Hold (N, C, H, W) bytes."""
        self.images, self.targets = images, targets
        self.transform = v2.Compose(
            [
                v2.RandomCrop(32, padding=4),
                v2.RandomHorizontalFlip(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(mean, std),
            ]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.transform(self.images[i]), self.targets[i]


def memory_factor() -> float:
    """Return the memory that 100,000 resident images add to the process, in units of their bytes."""
    process = psutil.Process()
    gc.collect()
    before = process.memory_info().rss
    held = Resident(Fake(num_train=100_000, num_val=10).load(), "cpu")
    next(held.batches([torch.arange(BATCH)]))
    gc.collect()
    return (process.memory_info().rss - before) / held.inputs.numel()


def main() -> int:
    """Measure, write ``results/data.json`` and return 1 if the requirement is missed."""
    factor = memory_factor()
    dataset = Fake(num_train=NUM, num_val=10).load()
    affine, augment, held = Standard().fit(dataset.inputs, dataset.train), FlipCrop(), Resident(dataset, "cpu")
    images = dataset.inputs[dataset.train].permute(0, 3, 1, 2).contiguous()
    std = 1 / affine.scale
    samples = PerSample(images, dataset.targets[dataset.train], (-affine.shift * std).tolist(), std.tolist())
    loader = data.DataLoader(samples, BATCH, shuffle=True, num_workers=2, persistent_workers=True)

    def resident() -> None:
        order = dataset.train[torch.randperm(NUM, generator=generator(0, "order", 0))]
        for step, (x, y) in enumerate(held.batches(order.split(BATCH))):
            x, y = augment(x.permute(0, 3, 1, 2), y, generator(0, "augment", step))
            affine.apply(x, channel_dim=-3)

    def per_sample() -> None:
        for _ in loader:
            pass

    seconds = interleave({"resident": resident, "dataloader": per_sample}, REPEATS)
    speedup = ratio(seconds, "resident", "dataloader")
    row = {"ratio": round(speedup, 2), "memory_factor": round(factor, 3), "required": REQUIRED}
    row |= {f"{name}_samples_per_second": round(NUM / statistics.median(taken)) for name, taken in seconds.items()}
    print(row)
    print(
        write("data", [row], "samples/s of the resident path over a 2-worker DataLoader; memory over the set's bytes")
    )
    return int(speedup < REQUIRED or factor > 1.1)


if __name__ == "__main__":
    command_line(__doc__).parse_args()
    sys.exit(main())
