"""Which form of stack a model bears: tried on two small copies, never assumed."""

import copy

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from dlexp.engine.forward import Forward, Solo
from dlexp.engine.stack.batched import Batched, Unbatchable
from dlexp.engine.stack.graphed import Graphed
from dlexp.engine.stack.vmapped import Vmapped, find_obstacle
from dlexp.error import first_line

CPU = torch.device("cpu")
PROBE_BATCH = 3
MIXES = "its code mixes the examples of a batch"
AGAIN = "its backward pass leaves other gradients or statistics than alone"


def batch_obstacle(model: nn.Module, in_shape: tuple[int, ...]) -> str | None:
    """Return why a model's layers cannot be given a trial axis, None when they can.

    Two copies with different weights run batched and alone, in float64: evaluation, a training pass with its gradients,
    and evaluation with the statistics that this left. Code that mixes examples of a batch gives other numbers batched
    than alone; layers that run again in the backward pass leave other statistics.
    """
    generator = torch.Generator().manual_seed(0)
    pair = [copy.deepcopy(model).double().cpu(), copy.deepcopy(model).double().cpu()]
    with torch.no_grad():
        for parameter in pair[1].parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    x = torch.randn(1, PROBE_BATCH, *in_shape, generator=generator, dtype=torch.float64)
    x = torch.cat([x, -x])  # code that branches on a sum or a maximum takes another branch alone than together
    try:
        stack = Batched(pair, device=CPU, channels_last=False)
        alone = [Solo(copy.deepcopy(twin), device=CPU, channels_last=False) for twin in pair]
        for is_training, reason in ((False, MIXES), (True, MIXES), (False, AGAIN)):
            together, grads = _pass(stack, x, is_training, [1, 2])
            for row in (0, 1):
                outputs, expected_grads = _pass(alone[row], x[row : row + 1], is_training, [row + 1])
                if not torch.allclose(outputs[0], together[row], rtol=1e-7, atol=1e-9):
                    return reason
                if not torch.allclose(expected_grads[0], grads[row], rtol=1e-7, atol=1e-9):
                    return AGAIN
    except Unbatchable as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {first_line(error)}"
    return None


def _pass(forward: Forward, x: Tensor, is_training: bool, seeds: list[int]) -> tuple[Tensor, Tensor]:
    """Return the main outputs (T, N, K) and, in training, the gradients (T, P)."""
    forward.set_training(is_training)
    forward.seed_dropout(seeds, 0)
    outputs = forward(x, is_shared=False)
    heads = outputs if isinstance(outputs, list) else [outputs]
    if is_training:
        forward.prepare_grads()
        torch.stack([head.square().sum() for head in heads]).sum().backward()
        forward.collect_grads(is_first=True)
    return heads[0].detach(), forward.grads


def make_forward(
    kind: str,
    models: list[nn.Module],
    *,
    device: torch.device,
    channels_last: bool,
    compile: bool = False,
    is_graph: bool = False,
) -> Forward:
    """Return a program of the given kind: "solo" (one model), "batched", "vmapped" or "graphed".

    Args:
        kind: Of program.
        models: Initialised, of equal structure.
        device: Where to train.
        channels_last: Store convolution weights with channels innermost.
        compile: Compile the model; solo only.
        is_graph: On CUDA, replay updates as graphs; "graphed" always does.
    """
    if kind == "solo":
        assert len(models) == 1
        return Solo(models[0], device=device, channels_last=channels_last, compile=compile, is_graph=is_graph)
    if kind == "graphed":
        return Graphed(models, device=device, channels_last=channels_last)
    stack = {"batched": Batched, "vmapped": Vmapped}[kind]
    return stack(models, device=device, channels_last=channels_last, is_graph=is_graph)


def obstacle(kind: str, model: nn.Module, in_shape: tuple[int, ...], device: torch.device = CPU) -> str | None:
    """Return why a model does not bear a kind of stack, None when it does."""
    if kind == "graphed":
        return None if device.type == "cuda" else "there are graphs on CUDA only"
    if kind == "batched":
        return batch_obstacle(model, in_shape)
    return find_obstacle(copy.deepcopy(model).cpu(), in_shape)


def stack_kinds(model: nn.Module, in_shape: tuple[int, ...], device: torch.device = CPU) -> tuple[list[str], str]:
    """Return the forms of stack that a model bears, the likeliest first, and the reasons against the others.

    Batched convolutions are one kernel a trial: on CUDA, where launches count, those mapped to groups come first.
    Graphs bear any model, but shorten nothing where there are none to replay: they are offered on CUDA only.
    """
    reasons = {kind: obstacle(kind, model, in_shape, device) for kind in ("batched", "vmapped")}
    kinds = [kind for kind, reason in reasons.items() if reason is None]
    if device.type == "cuda":
        if any(isinstance(module, _ConvNd) for module in model.modules()):
            kinds.sort(reverse=True)
        kinds.append("graphed")
    return kinds, "; ".join(f"{kind}: {reason}" for kind, reason in reasons.items() if reason is not None)
