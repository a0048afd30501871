"""Which form of stack a model bears: tried on two small copies, never assumed."""

import copy

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from dlexp.engine.forward import Forward, Solo
from dlexp.engine.stack.folded import Folded, Unfoldable
from dlexp.engine.stack.graphed import Graphed
from dlexp.engine.stack.vmapped import Vmapped, find_obstacle

CPU = torch.device("cpu")
PROBE_BATCH = 3


def fold_obstacle(model: nn.Module, in_shape: tuple[int, ...]) -> str | None:
    """Return why a model's layers cannot be given a trial axis, None when they can.

    Two copies with different weights run folded and alone, in float64, in training and in evaluation; code that mixes
    examples of a batch gives other numbers folded than alone.
    """
    generator = torch.Generator().manual_seed(0)
    pair = [copy.deepcopy(model).double().cpu(), copy.deepcopy(model).double().cpu()]
    with torch.no_grad():
        for parameter in pair[1].parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    x = torch.randn(1, PROBE_BATCH, *in_shape, generator=generator, dtype=torch.float64)
    x = torch.cat([x, -x])  # code that branches on a sum or a maximum takes another branch alone than together
    try:
        stack = Folded(pair, device=CPU, channels_last=False)
        for is_training in (False, True):  # training changes the running statistics
            stack.set_training(is_training)
            stack.seed_dropout([1, 2], 0)
            together = _main(stack(x, is_shared=False))
            for row in (0, 1):
                alone = Solo(copy.deepcopy(pair[row]), device=CPU, channels_last=False)
                alone.set_training(is_training)
                alone.seed_dropout([row + 1], 0)
                if not torch.allclose(_main(alone(x[row]))[0], together[row], rtol=1e-7, atol=1e-9):
                    return "its code mixes the examples of a batch"
    except Unfoldable as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
    return None


def _main(outputs: Tensor | list[Tensor]) -> Tensor:
    return outputs[0].detach() if isinstance(outputs, list) else outputs.detach()


def make_forward(
    kind: str, models: list[nn.Module], *, device: torch.device, channels_last: bool, compile: bool = False
) -> Forward:
    """Return a program of the given kind: "solo" (one model), "folded", "vmapped" or "graphed"."""
    if kind == "solo":
        assert len(models) == 1
        return Solo(models[0], device=device, channels_last=channels_last, compile=compile)
    stacks: dict[str, type[Folded] | type[Vmapped] | type[Graphed]]
    stacks = {"folded": Folded, "vmapped": Vmapped, "graphed": Graphed}
    return stacks[kind](models, device=device, channels_last=channels_last)


def stack_kinds(model: nn.Module, in_shape: tuple[int, ...], device: torch.device = CPU) -> tuple[list[str], str]:
    """Return the forms of stack that a model bears, the likeliest first, and the reasons against the others.

    Folded convolutions are one kernel a trial: on CUDA, where launches count, those mapped to groups come first. Graphs
    bear any model, but shorten nothing where there are none to replay: they are offered on CUDA only.
    """
    reasons = {"folded": fold_obstacle(model, in_shape), "vmapped": find_obstacle(copy.deepcopy(model).cpu(), in_shape)}
    kinds = [kind for kind, reason in reasons.items() if reason is None]
    if device.type == "cuda":
        if any(isinstance(module, _ConvNd) for module in model.modules()):
            kinds.sort(reverse=True)
        kinds.append("graphed")
    return kinds, "; ".join(f"{kind}: {reason}" for kind, reason in reasons.items() if reason is not None)
