"""A trained model as one function of raw examples: resize, normalisation, network, answers.

Shapes: N examples, C channels, H height, W width, D inputs of a table, K classes, or outputs of several targets.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from dlexp.data.joint.head import of_columns
from dlexp.data.joint.scale import JointScale
from dlexp.execution.save.saved_model import SavedModel, heads_stated
from dlexp.export.resize import Fit, resize
from dlexp.metric.probability import log_weights

PICTURES, VECTORS = "pixels", "features"  # what the input is called
CLASSES, VALUES = ("outputs", "probabilities"), ("values",)  # what is put out


class Prepared(nn.Module):
    """A network with what comes before it; what it answers is a subclass's `forward`.

    Pictures come as floats (N, C, H, W) in [0, 1], of any size where the run resized its own; rows of a table as
    float64 (N, D), encoded as the facts state, with NaN for a missing number.

    Args:
        model: With its normalisation and facts.
        input_names: What the inputs are called, in order; None for the only one of its kind.
        output_names: What is put out, in order.
    """

    def __init__(self, model: SavedModel, input_names: tuple[str, ...] | None, output_names: tuple[str, ...]) -> None:
        super().__init__()
        self.network = model.module
        self.is_image = len(model.about["in_shape"]) == 3
        self.side, fit = side_of(model.about)
        self.fit: Fit = fit
        self.dtype = model.dtype
        self.input_names = input_names or (PICTURES if self.is_image else VECTORS,)
        self.output_names = output_names
        wide = model.dtype if self.is_image else torch.float64
        self.register_buffer("scale", self._spread(model.affine.scale).to(wide))
        self.register_buffer("shift", self._spread(model.affine.shift).to(wide))
        self.register_buffer("fill", None if model.affine.fill is None else model.affine.fill.clone())

    def _spread(self, values_C: Tensor) -> Tensor:
        return values_C[:, None, None] if self.is_image else values_C.clone()

    def prepare(self, x: Tensor) -> Tensor:
        """Return what the network takes of pictures (N, C, H, W) or rows (N, D)."""
        scale, shift, fill = self.get_buffer("scale"), self.get_buffer("shift"), self._buffers["fill"]
        if self.is_image:
            x = x.to(self.dtype)
            x = x if self.side is None else resize(x, self.side, self.fit)
        elif fill is not None:
            x = torch.where(x.isnan(), fill, x)
        return (x * scale + shift).to(self.dtype)


class Graph(Prepared):
    """What is exported of a model of classes or values.

    Classes give the network's outputs (N, K), a lone column for two, and probabilities (N, K); values come in the
    target's unit, (N,) in float64. Of several targets come all outputs (N, K) in float64, values in their units, and
    then of each target the probabilities (N, K_j), or the values (N,).

    Args:
        model: With its normalisation, unit and facts.
    """

    def __init__(self, model: SavedModel) -> None:
        super().__init__(model, None, _outputs_of(model.about))
        self.has_classes = bool(model.about["class_names"])
        self.link = str(model.about.get("measure", {}).get("link", "softmax"))
        self.heads, unit = heads_stated(model.about), model.unit
        self.mean, self.std = (0.0, 1.0) if unit is None or self.heads else (unit.mean.item(), unit.std.item())
        joint = unit if isinstance(unit, JointScale) else None
        self.register_buffer("means", None if joint is None else joint.by_output[0])
        self.register_buffer("stds", None if joint is None else joint.by_output[1])

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return what `output_names` says of pictures (N, C, H, W) or rows (N, D)."""
        outputs = self.network(self.prepare(x))
        if self.heads:
            return self._of_heads(outputs)
        if not self.has_classes:
            return (outputs[:, 0].double() * self.std + self.mean,)
        return outputs, log_weights(outputs, self.link).softmax(-1).to(outputs.dtype)

    def _of_heads(self, outputs: Tensor) -> tuple[Tensor, ...]:
        """Return all outputs, values in their units, and what they say of each target."""
        whole = outputs.double() * self.get_buffer("stds") + self.get_buffer("means")
        each = []
        for head, columns in zip(self.heads, of_columns(self.heads), strict=True):
            if head.num_classes:
                each.append(log_weights(outputs[:, columns], self.link).softmax(-1).to(outputs.dtype))
            else:
                each.append(whole[:, columns.start])
        return whole, *each


def _outputs_of(about: dict[str, Any]) -> tuple[str, ...]:
    """Return what the outputs of classes, values or several targets are called."""
    if heads := heads_stated(about):
        kinds = ("probabilities" if head.num_classes else "values" for head in heads)
        return ("outputs", *(f"{head.label}.{kind}" for head, kind in zip(heads, kinds, strict=True)))
    return CLASSES if about["class_names"] else VALUES


def side_of(about: dict[str, Any]) -> tuple[int | None, Fit]:
    """Return the side in pixels to which pictures are brought, None where they are not, and how they fit it."""
    shape, stored = about["in_shape"], about["encoding"] or {}
    is_square = len(shape) == 3 and shape[1] == shape[2]
    is_resized = is_square and stored.get("size", shape[-1]) is not None
    return shape[-1] if is_resized else None, stored.get("fit", "crop")


def example(graph: Prepared, in_shape: list[int]) -> tuple[Tensor, ...]:
    """Return two blank examples of each input from which an exporter follows the graph."""
    if not graph.is_image:
        return tuple(torch.zeros(2, *in_shape, dtype=torch.float64) for _ in graph.input_names)
    channels, height, width = in_shape
    # sides that no constant of the network equals by chance, so that an exporter takes them for what they are: free
    more = [(0, 0) if graph.side is None else (3 + 4 * place, 5 + 4 * place) for place in range(len(graph.input_names))]
    return tuple(torch.zeros(2, channels, height + rows, width + columns) for rows, columns in more)


def dynamic_axes(graph: Prepared) -> tuple[dict[int, Any], ...]:
    """Return the axes of each input whose lengths are free, by number; all have one batch."""
    batch, is_free = torch.export.Dim("batch", min=1), graph.side is not None
    sides = {2: "height", 3: "width"} if is_free else {}
    lone = len(graph.input_names) == 1
    return tuple(
        {0: batch} | {axis: torch.export.Dim(side if lone else f"{name}_{side}", min=1) for axis, side in sides.items()}
        for name in graph.input_names
    )


def as_input(inputs: Tensor) -> Tensor:
    """Return raw examples, (N, H, W, C) bytes or floats or rows (N, D), as a graph takes them."""
    if inputs.dim() != 4:
        return inputs.double()
    pixels = inputs.float().div(255) if inputs.dtype == torch.uint8 else inputs.float()
    return pixels.movedim(-1, 1).contiguous()


def num_together(in_shape: list[int]) -> int:
    """Return how many examples are asked at once: at most 256, fewer of large pictures."""
    return max(1, min(256, (1 << 22) // math.prod(in_shape)))
