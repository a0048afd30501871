"""One module for each trial, replayed as CUDA graphs; any model, the very kernels of a solo run.

Loss, update and bookkeeping act on all trials at once as in every stack; only the model's passes run trial by trial.
On CUDA the passes of all trials are captured together and then cost one launch, and the chip runs as many at once as it
has room for. On other devices, for batches of some of the trials, and where a module cannot be captured, the modules
run as they are. So a trial's outputs are bitwise those it has alone. Shapes: T trials, N batch, K outputs.
"""

import copy
import logging

import torch
from torch import Tensor, nn

from dlexp.dropout import Classic, Inverted
from dlexp.engine.flat import Flat
from dlexp.engine.forward import layer_seeds
from dlexp.engine.stack.graph import CapturedPasses
from dlexp.error import first_line, is_out_of_memory

STREAMS = 8
MOST_SHAPES = 2  # of batches that are captured: an epoch's, and its last

_log = logging.getLogger(__name__)


class Graphed:
    """T modules whose parameters are rows of one tensor."""

    engine = "graphed"

    def __init__(self, models: list[nn.Module], *, device: torch.device, channels_last: bool) -> None:
        """Copy initialised models of equal structure into the rows."""
        dtype = next(models[0].parameters()).dtype
        self.flat = Flat(models[0], len(models), dtype=dtype, device=device, channels_last=channels_last)
        self.models = [copy.deepcopy(model).to(device) for model in models]
        for row, model in enumerate(self.models):
            values = dict(model.named_parameters())
            for name, view in zip(self.flat.names, self.flat.views, strict=True):
                view[row].copy_(values[name].detach())
        self._is_capturable = True
        self._bind()

    def _bind(self) -> None:
        """Point every module's parameters, gradients and dropout seeds at its row."""
        self.grads = torch.zeros_like(self.flat.tensor)
        device = self.flat.tensor.device
        grads = self.flat.split(self.grads)
        self._parameters: list[list[Tensor]] = []
        self._grad_rows = [[grad[row] for grad in grads] for row in range(len(self.models))]
        for row, model in enumerate(self.models):
            values = dict(model.named_parameters())
            self._parameters.append([values[name] for name in self.flat.names])
            for name, view, grad in zip(self.flat.names, self.flat.views, self._grad_rows[row], strict=True):
                values[name].data, values[name].grad = view[row], grad
        dropouts = [[m for m in model.modules() if isinstance(m, Inverted | Classic)] for model in self.models]
        self._dropout_seeds = torch.zeros(len(self.models), len(dropouts[0]), dtype=torch.int64, device=device)
        for seeds, layers in zip(self._dropout_seeds, dropouts, strict=True):
            for seed, layer in zip(seeds, layers, strict=True):
                layer.seed = seed
        is_cuda = device.type == "cuda"
        self._streams = [torch.cuda.Stream(device) for _ in range(min(STREAMS, len(self.models)))] if is_cuda else []
        self._captured: dict[tuple, CapturedPasses] = {}

    def __call__(self, x: Tensor, *, is_shared: bool = True, rows: list[int] | None = None) -> Tensor | list[Tensor]:
        """See `dlexp.engine.forward.Forward`."""
        if self._streams and rows is None and self.models[0].training and torch.is_grad_enabled():
            passes = self._passes(x, is_shared)
            if passes is not None:
                return passes(x)
        chosen = range(len(self.models)) if rows is None else rows
        outputs = [self.models[row](x if is_shared else x[i]) for i, row in enumerate(chosen)]
        if isinstance(outputs[0], list):
            return [torch.stack(heads) for heads in zip(*outputs, strict=True)]
        return torch.stack(outputs)

    def _passes(self, x: Tensor, is_shared: bool) -> CapturedPasses | None:
        """Return the captured passes for batches of this kind; None where they are to run as they are."""
        is_cast = torch.is_autocast_enabled("cuda")
        key = (x.shape, x.dtype, is_shared, torch.get_autocast_dtype("cuda") if is_cast else None)
        if key not in self._captured and self._is_capturable and len(self._captured) < MOST_SHAPES:
            try:
                self._captured[key] = CapturedPasses(
                    self.models, self._parameters, self._grad_rows, x, is_shared=is_shared, streams=self._streams
                )
            except RuntimeError as error:
                if is_out_of_memory(error):
                    raise
                self._is_capturable = False
                _log.warning("the passes are not captured as a graph: %s", first_line(error))
        return self._captured.get(key)

    def set_training(self, is_training: bool) -> None:
        """See `dlexp.engine.forward.Forward`."""
        for model in self.models:
            model.train(is_training)

    def prepare_grads(self) -> None:
        """See `dlexp.engine.forward.Forward`."""
        self.grads.zero_()

    def collect_grads(self, is_first: bool) -> None:
        """See `dlexp.engine.forward.Forward`; autograd adds to the views itself."""

    def seed_dropout(self, seeds: list[int], draw: int) -> None:
        """See `dlexp.engine.forward.Forward`."""
        if self._dropout_seeds.numel():
            self._dropout_seeds.copy_(layer_seeds(seeds, draw, self._dropout_seeds.shape[1]))

    def weights(self, trial: int) -> dict[str, Tensor]:
        """See `dlexp.engine.forward.Forward`."""
        return {name: value.detach().clone() for name, value in self.models[trial].state_dict().items()}

    def load_weights(self, trial: int, weights: dict[str, Tensor]) -> None:
        """See `dlexp.engine.forward.Forward`."""
        self.models[trial].load_state_dict(weights)

    def keep(self, rows: list[int]) -> None:
        """See `dlexp.engine.forward.Forward`; graphs are captured anew, for the rows have moved."""
        for passes in self._captured.values():
            passes.close()
        self.flat.tensor = self.flat.tensor[rows]
        self.flat.views = self.flat.split(self.flat.tensor)
        self.models = [self.models[row] for row in rows]
        self._bind()
