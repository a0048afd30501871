"""One module for each trial, replayed as CUDA graphs on several streams; any model, the very kernels of a solo run.

Loss, update and bookkeeping act on all trials at once as in every stack; only the model's passes run trial by trial.
On CUDA each is captured once and then costs one launch, and the chip runs as many at once as it has room for. On other
devices, and for batches of another length than the first, the modules run as they are. So a trial's outputs are
bitwise those it has alone. Shapes: T trials, N batch, K outputs.
"""

import copy

import torch
from torch import Tensor, nn

from dlexp.dropout import Classic, Inverted
from dlexp.engine.flat import Flat
from dlexp.engine.forward import layer_seeds, switch_gathering

STREAMS = 8


class Graphed:
    """T modules whose parameters are rows of one tensor."""

    engine = "graphed"

    def __init__(self, models: list[nn.Module], *, device: torch.device, channels_last: bool) -> None:
        """Copy initialised models of equal structure into the rows."""
        dtype = next(models[0].parameters()).dtype
        self.flat = Flat(models[0], len(models), dtype=dtype, device=device, channels_last=channels_last)
        if hasattr(torch.autograd.graph, "set_warn_on_accumulate_grad_stream_mismatch"):  # torch 2.10 or later
            # Each trial's gradients are added on its own stream; the backward pass waits for all of them at its end.
            torch.autograd.graph.set_warn_on_accumulate_grad_stream_mismatch(False)
        self.models = [copy.deepcopy(model).to(device) for model in models]
        for row, model in enumerate(self.models):
            values = dict(model.named_parameters())
            for name, view in zip(self.flat.names, self.flat.views, strict=True):
                view[row].copy_(values[name].detach())
        self._bind()

    def _bind(self) -> None:
        """Point every module's parameters and gradients at its row."""
        self.grads = torch.zeros_like(self.flat.tensor)
        grads = self.flat.split(self.grads)
        for row, model in enumerate(self.models):
            values = dict(model.named_parameters())
            for name, view, grad in zip(self.flat.names, self.flat.views, grads, strict=True):
                values[name].data, values[name].grad = view[row], grad[row]
        self._dropouts = [[m for m in model.modules() if isinstance(m, Inverted | Classic)] for model in self.models]
        is_cuda = self.flat.tensor.device.type == "cuda"
        self._streams = [torch.cuda.Stream() for _ in range(min(STREAMS, len(self.models)))] if is_cuda else []
        self._graphs: list[nn.Module] = []
        self._shape: torch.Size | None = None

    def __call__(self, x: Tensor, *, is_shared: bool = True, rows: list[int] | None = None) -> Tensor | list[Tensor]:
        """See `dlexp.engine.forward.Forward`."""
        chosen = list(range(len(self.models))) if rows is None else rows
        batches = [x if is_shared else x[i] for i in range(len(chosen))]
        if self._streams and self.models[0].training and not torch.is_autocast_enabled("cuda"):
            outputs = self._replay(chosen, batches)
        else:
            outputs = [self.models[row](batch) for row, batch in zip(chosen, batches, strict=True)]
        if isinstance(outputs[0], list):
            return [torch.stack(heads) for heads in zip(*outputs, strict=True)]
        return torch.stack(outputs)

    def _replay(self, rows: list[int], batches: list[Tensor]) -> list:
        if not self._graphs:
            self._capture(batches[0])
        is_captured = batches[0].shape == self._shape
        current, outputs = torch.cuda.current_stream(), []
        for row, batch in zip(rows, batches, strict=True):
            stream = self._streams[row % len(self._streams)]
            stream.wait_stream(current)
            with torch.cuda.stream(stream):
                outputs.append(self._graphs[row](batch) if is_captured else self.models[row](batch))
        for stream in self._streams:
            current.wait_stream(stream)
        return outputs

    def _capture(self, sample: Tensor) -> None:
        """Capture each module's passes for batches of one shape; running statistics are put back afterwards."""
        saved_buffers = [{name: buffer.clone() for name, buffer in model.named_buffers()} for model in self.models]
        self._shape = sample.shape
        for model in self.models:
            # a shallow copy shares parameters and buffers; its forward is replaced by the graphs
            graph = torch.cuda.make_graphed_callables(
                copy.copy(model), (sample.detach().clone(),), allow_unused_input=True
            )
            assert isinstance(graph, nn.Module)
            self._graphs.append(graph)
        for model, saved in zip(self.models, saved_buffers, strict=True):
            for name, buffer in model.named_buffers():
                buffer.copy_(saved[name])

    def set_training(self, is_training: bool) -> None:
        """See `dlexp.engine.forward.Forward`."""
        for model in [*self.models, *self._graphs]:
            model.train(is_training)

    def set_gathering(self, is_gathering: bool) -> bool:
        """See `dlexp.engine.forward.Forward`."""
        return any([switch_gathering(model, dict(model.named_buffers()), is_gathering) for model in self.models])

    def prepare_grads(self) -> None:
        """See `dlexp.engine.forward.Forward`."""
        self.grads.zero_()

    def collect_grads(self, is_first: bool) -> None:
        """See `dlexp.engine.forward.Forward`; autograd adds to the views itself."""

    def seed_dropout(self, seeds: list[int], draw: int) -> None:
        """See `dlexp.engine.forward.Forward`."""
        if self._dropouts[0]:
            seeds_TL = layer_seeds(seeds, draw, len(self._dropouts[0]))
            for row, dropouts in enumerate(self._dropouts):
                for layer, dropout in enumerate(dropouts):
                    dropout.seed.copy_(seeds_TL[row, layer])

    def weights(self, trial: int) -> dict[str, Tensor]:
        """See `dlexp.engine.forward.Forward`."""
        return {name: value.detach().clone() for name, value in self.models[trial].state_dict().items()}

    def load_weights(self, trial: int, weights: dict[str, Tensor]) -> None:
        """See `dlexp.engine.forward.Forward`."""
        self.models[trial].load_state_dict(weights)

    def keep(self, rows: list[int]) -> None:
        """See `dlexp.engine.forward.Forward`; graphs are captured anew, for the rows have moved."""
        self.flat.tensor = self.flat.tensor[rows]
        self.flat.views = self.flat.split(self.flat.tensor)
        self.models = [self.models[row] for row in rows]
        self._bind()
