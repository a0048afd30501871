"""Memory of an update and of an evaluation by architecture, for images of 32 and 224 pixels.

``python -m benchmarks.memory`` writes ``benchmarks/results/memory.json``. Tensors are counted on shapes, on the meta
device: what 32 examples take to be trained on (the model's outputs and gradients, without the rule's state), what 1,024
take to be evaluated at once, and what the examples take that ``trainer.eval_batch_size=auto`` evaluates at once. A
kernel's own work space is not in it.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from benchmarks import measure
from dlexp.build.model import build_module
from dlexp.config.resolve import resolve
from dlexp.engine.memory import MOST_EVALUATED, Allocations, evaluation_batch

SIZES = (32, 224)
MODELS = ("mlp", "cnn", "vgg", "nin", "inception", "resnet", "resnext", "densenet")
BATCH_SIZE = 32
NUM_CLASSES = 10


def update_bytes(model: nn.Module, x: Tensor) -> int:
    """Return the most bytes alive in a forward and backward pass in training mode."""
    model.train()
    with Allocations() as allocations:
        heads = [head for head in tree_leaves(model(x)) if isinstance(head, Tensor)]
        total = torch.stack([head.sum() for head in heads]).sum()
        torch.autograd.grad(total, list(model.parameters()), allow_unused=True)
    return allocations.peak


def evaluation_bytes(model: nn.Module, x: Tensor) -> int:
    """Return the most bytes alive in a forward pass in evaluation mode."""
    model.eval()
    with torch.no_grad(), Allocations() as allocations:
        model(x)
    return allocations.peak


def row(name: str, size: int) -> dict[str, Any]:
    """Return the megabytes of one architecture at one size of image."""
    config = resolve([f"model={name}", "data=fake", f"data.shape=[3,{size},{size}]"]).config
    shape = (3, size, size)
    with torch.device("meta"):
        model = build_module(config, shape, NUM_CLASSES, seed=0)
        batches = {count: torch.empty(count, *shape) for count in (BATCH_SIZE, MOST_EVALUATED)}
    chosen = evaluation_batch(model, shape, BATCH_SIZE)
    with torch.device("meta"):
        batches[chosen] = torch.empty(chosen, *shape)
    return {
        "model": name,
        "pixels": size,
        "update_32_mb": round(update_bytes(model, batches[BATCH_SIZE]) / 1e6, 1),
        "evaluation_1024_mb": round(evaluation_bytes(model, batches[MOST_EVALUATED]) / 1e6, 1),
        "auto": chosen,
        "evaluation_auto_mb": round(evaluation_bytes(model, batches[chosen]) / 1e6, 1),
    }


def main() -> None:
    """Count every architecture at every size, and write the record."""
    rows = [row(name, size) for size in SIZES for name in MODELS]
    for each in rows:
        print(each)
    note = (
        "megabytes of tensors alive at once, counted on shapes: an update on 32 examples, evaluations of 1,024 and auto"
    )
    print(measure.write("memory", rows, note))


if __name__ == "__main__":
    measure.command_line(__doc__).parse_args()
    main()
