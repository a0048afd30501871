"""What settings of convolutions cost on a card: cuDNN's choice of kernels, TF32, the order of channels."""

from collections.abc import Iterator
from typing import Any

import torch

from benchmarks.fuse import medians
from benchmarks.gpu import speed

NAMES = ("cnn 3 stages 28x28", "resnet-20 32x32")
VARIANTS: dict[str, tuple[list[str], bool, bool]] = {  # overrides, cudnn.benchmark, cudnn.deterministic
    "as it is": ([], False, True),
    "kernels chosen by time": ([], True, True),
    "kernels chosen by time, any order": ([], True, False),
    "any order": ([], False, False),
    "channels outermost": (["trainer.channels_last=false"], False, True),
    "channels outermost, kernels chosen by time": (["trainer.channels_last=false"], True, True),
    "tf32": (["trainer.tf32=true"], False, True),
    "tf32, kernels chosen by time": (["trainer.tf32=true"], True, True),
    "bf16": (["trainer.precision=bf16"], False, True),
}
CASES = {name: speed.CASES[name] for name in NAMES}


def measure(name: str) -> Iterator[dict[str, Any]]:
    """Yield the microseconds of an update of a run alone under each setting."""
    cudnn = torch.backends.cudnn
    try:
        for variant, (overrides, is_timed, is_deterministic) in VARIANTS.items():
            built = speed.program([*CASES[name], *overrides], 1)
            cudnn.benchmark, cudnn.deterministic = is_timed, is_deterministic  # after a program has set its own
            seconds = medians({"update": built.run.one_update()})["update"]
            yield {"setting": variant, "us": round(seconds * 1e6, 1)}
    finally:
        cudnn.benchmark = False
