"""Any model under torch.func.vmap: T trials, each with its own parameters, buffers and dropout streams.

Shapes: T trials, N batch, K outputs, R chosen rows.
"""

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.modules.batchnorm import _BatchNorm

from dlexp.device import send_soon
from dlexp.engine.stack.rows import Rows
from dlexp.error import first_line
from dlexp.model.recompute import Unmappable


class Vmapped(Rows):
    """The module's own code, mapped over the trial axis."""

    engine = "vmapped"

    def __init__(
        self, models: list[nn.Module], *, device: torch.device, channels_last: bool, is_graph: bool = False
    ) -> None:
        """Stack initialised models of equal structure."""
        super().__init__(models, device=device, channels_last=channels_last, is_graph=is_graph)
        for module in self.template.modules():
            if isinstance(module, _BatchNorm):
                module.register_forward_pre_hook(_in_full)
            elif isinstance(module, nn.AdaptiveAvgPool2d) and module.output_size in (1, (1, 1)):
                module.forward = _average

    def __call__(self, x: Tensor, *, is_shared: bool = True, rows: list[int] | None = None) -> Tensor | list[Tensor]:
        """See `dlexp.engine.forward.Forward`."""
        leaves, buffers = self.parameters(), self.buffers
        chosen = None if rows is None else send_soon(torch.tensor(rows, dtype=torch.int64), x.device)
        if chosen is not None:
            leaves = {name: leaf.index_select(0, chosen) for name, leaf in leaves.items()}
            buffers = {name: value.index_select(0, chosen) for name, value in buffers.items()}

        def call(parameters: dict[str, Tensor], buffers: dict[str, Tensor], batch: Tensor) -> Tensor | list[Tensor]:
            return functional_call(self.template, (parameters, buffers), (batch,))

        num_trials = len(next(iter(leaves.values())))
        if is_shared:  # one batch for all would be a wide product, whose rounding depends on the number of trials
            x = x.expand(num_trials, *x.shape)
        if num_trials == 1:  # mapped, an axis of one has pictures look as if their channels were innermost
            outputs = _stacked(call(_first(leaves), _first(buffers), x[0]))
        else:
            outputs = vmap(call, randomness="error")(leaves, buffers, x)
        if chosen is not None:
            for name, value in buffers.items():  # running statistics were updated in the copies
                self.buffers[name].index_copy_(0, chosen, value)
        return outputs


def _first(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return views of the first trial's values."""
    return {name: value[0] for name, value in values.items()}


def _stacked(outputs: Tensor | list[Tensor]) -> Tensor | list[Tensor]:
    """Return a trial's outputs (N, K) as those of a stack of one (1, N, K)."""
    return outputs[None] if isinstance(outputs, Tensor) else [each[None] for each in outputs]


def _in_full(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Return inputs of half precision as floats: mapped, cuDNN gets weights of the inputs' type, which it refuses."""
    return tuple(x.float() if x.dtype in (torch.bfloat16, torch.float16) else x for x in inputs)


def _average(input: Tensor) -> Tensor:
    """Return the mean of each map, as torch computes it, too, but then lays it out in place, which cannot be mapped."""
    return input.mean((-2, -1), keepdim=True)


def find_obstacle(model: nn.Module, in_shape: tuple[int, ...]) -> str | None:
    """Return why a model cannot be mapped over trials, None when it can.

    Two copies run on two examples; what torch refuses (data-dependent branches, operators without a batching rule)
    shows there.
    """
    try:
        stack = Vmapped([model, model], device=torch.device("cpu"), channels_last=False)
        stack.set_training(True)
        x = torch.randn(2, 2, *in_shape, generator=torch.Generator().manual_seed(0))
        outputs = stack(x.to(stack.flat.tensor.dtype), is_shared=False)
        main = outputs[0] if isinstance(outputs, list) else outputs
        main.sum().backward()
    except Unmappable as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {first_line(error)}"
    return None
