"""One module for each trial, their passes forked over streams; any model, the very kernels of a solo run.

Loss, update and bookkeeping act on all trials at once as in every stack; only the model's passes run trial by trial.
On CUDA an update of all trials is captured as one graph and then costs one launch, and the chip runs as many trials at
once as it has room for. On other devices, for batches of some of the trials, and in evaluation the modules run one
after another. So a trial's outputs are bitwise those it has alone. Shapes: T trials, N batch, K outputs.
"""

import copy

import torch
from torch import Tensor, nn

from dlexp.dropout import Classic, Inverted
from dlexp.engine.flat import Flat
from dlexp.engine.forward import switch_gathering, write_seeds
from dlexp.engine.freeze.mark import switch_training
from dlexp.engine.graph.fork import Fork


class Graphed:
    """T modules whose parameters are rows of one tensor."""

    engine = "graphed"

    def __init__(self, models: list[nn.Module], *, device: torch.device, channels_last: bool) -> None:
        """Copy initialised models of equal structure into the rows."""
        dtype = next(models[0].parameters()).dtype
        self.flat = Flat(models[0], len(models), dtype=dtype, device=device, channels_last=channels_last)
        self.is_capturable = device.type == "cuda"
        self.models: list[nn.Module] = []
        for row, model in enumerate(models):
            twin = copy.deepcopy(model).to(device)
            values = dict(twin.named_parameters())
            for name, view in zip(self.flat.names, self.flat.views, strict=True):
                view[row].copy_(values[name].detach())
                values[name].data = view[row]  # so that the weights are on the device twice for a moment only
            self.models.append(twin)
        self._bind()

    def _bind(self) -> None:
        """Point every module's parameters, gradients and dropout seeds at its row."""
        self.grads = torch.zeros_like(self.flat.tensor)
        device = self.flat.tensor.device
        grads = self.flat.split(self.grads)
        parameters: list[list[Tensor]] = []
        grad_rows = [[grad[row] for grad in grads] for row in range(len(self.models))]
        for row, model in enumerate(self.models):
            values = dict(model.named_parameters())
            parameters.append([values[name] for name in self.flat.names])
            for name, view, grad in zip(self.flat.names, self.flat.views, grad_rows[row], strict=True):
                values[name].data, values[name].grad = view[row], grad
        dropouts = [[m for m in model.modules() if isinstance(m, Inverted | Classic)] for model in self.models]
        self.dropout_seeds = torch.zeros(len(self.models), len(dropouts[0]), dtype=torch.int64, device=device)
        for seeds, layers in zip(self.dropout_seeds, dropouts, strict=True):
            for seed, layer in zip(seeds, layers, strict=True):
                layer.seed = seed
        self._fork = Fork(self.models, parameters, grad_rows) if self.is_capturable else None

    def __call__(self, x: Tensor, *, is_shared: bool = True, rows: list[int] | None = None) -> Tensor | list[Tensor]:
        """See `dlexp.engine.forward.Forward`."""
        if rows is None and self._fork is not None and self._fork.is_due:
            return self._fork(x, is_shared=is_shared)
        chosen = range(len(self.models)) if rows is None else rows
        outputs = [self.models[row](x if is_shared else x[i]) for i, row in enumerate(chosen)]
        if isinstance(outputs[0], list):
            return [torch.stack(heads) for heads in zip(*outputs, strict=True)]
        return torch.stack(outputs)

    def set_training(self, is_training: bool) -> None:
        """See `dlexp.engine.forward.Forward`."""
        for model in self.models:
            switch_training(model, is_training)

    def set_gathering(self, is_gathering: bool, is_short: bool = False) -> bool:
        """See `dlexp.engine.forward.Forward`."""
        return any(
            [switch_gathering(model, dict(model.named_buffers()), is_gathering, is_short) for model in self.models]
        )

    def prepare_grads(self) -> None:
        """See `dlexp.engine.forward.Forward`."""
        self.grads.zero_()

    def collect_grads(self, is_first: bool) -> None:
        """See `dlexp.engine.forward.Forward`; autograd adds to the views itself."""

    def drop_grads(self) -> None:
        """See `dlexp.engine.forward.Forward`; they are overwritten before they are added to."""

    def seed_dropout(self, seeds: list[int], draw: int) -> None:
        """See `dlexp.engine.forward.Forward`."""
        write_seeds(self.dropout_seeds, seeds, draw)

    def weights(self, trial: int) -> dict[str, Tensor]:
        """See `dlexp.engine.forward.Forward`."""
        return {name: value.detach().clone() for name, value in self.models[trial].state_dict().items()}

    def load_weights(self, trial: int, weights: dict[str, Tensor]) -> None:
        """See `dlexp.engine.forward.Forward`."""
        self.models[trial].load_state_dict(weights)

    def keep(self, rows: list[int]) -> None:
        """See `dlexp.engine.forward.Forward`."""
        self.flat.tensor = self.flat.tensor[rows]
        self.flat.views = self.flat.split(self.flat.tensor)
        self.models = [self.models[row] for row in rows]
        self._bind()
