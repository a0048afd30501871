"""Any classification network of torchvision.

Features: chosen by its name there; its own activations, norms and architecture; the head sized for the data; weights
from a local file, never from the network; gray images repeated to three channels. Its dropout and stochastic depth are
replaced by ones that draw from the run's seeds, with the same probabilities.
Deviations: the auxiliary heads of googlenet and inception_v3 are left out.
Shapes: N batch, C channels, H height, W width, K outputs.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torch.func import functional_call
from torchvision.ops import StochasticDepth

from dlexp.dropout import Inverted
from dlexp.error import ConfigError, did_you_mean, first_line
from dlexp.model.layer import image_shape
from dlexp.number import noun
from dlexp.random import hashed_uniform
from dlexp.type import Place
from dlexp.weight.source import read_weights

SIDES = (8, 16, 32, 48, 64, 96, 128, 160, 192, 224, 240, 256, 299, 320, 384, 480, 518, 640)


class DropExample(Inverted):
    """Stochastic depth by example: x * mask / (1 - p), one mask value for each example.

    References:
        Huang, Sun, Liu, Sedra, Weinberger (2016), Deep Networks with Stochastic Depth, ECCV.
    """

    def _kept(self, x: Tensor) -> Tensor:
        shape = (x.shape[0], *[1] * (x.dim() - 1))
        return (hashed_uniform(shape, self.seed, self.first) >= self.p).to(x.dtype)


class TorchvisionNet(nn.Module):
    """A network of torchvision with its head sized for the data.

    Args:
        name: The network's name in torchvision.models, for example efficientnet_b0.
        weights: Local .safetensors file or state_dict file with torchvision's names; a head of another size is left
            out of it. null for random weights.

    References:
        TorchVision maintainers (2016), TorchVision: PyTorch's Computer Vision library.
    """

    def __init__(
        self,
        name: str = "resnet18",
        weights: Place | None = None,
        *,
        in_shape: tuple[int, ...],
        num_outputs: int,
    ) -> None:
        super().__init__()
        known = torchvision.models.list_models(module=torchvision.models)
        if name not in known:
            choices = f"choose a classification network of torchvision.models{did_you_mean(name, known)}"
            raise ConfigError(f"model.name: got {name}; {choices}")
        channels, height, width = image_shape(in_shape, name)
        if channels not in (1, 3):
            raise ConfigError(f"model: got images of {noun(channels, 'channel')}; {name} reads 3, or 1 repeated to 3")
        self.repeats = 3 // channels
        self.net = _construct(name, num_outputs)
        _check_reads(self.net, name, height, width)
        _draw_from_seeds(self.net)
        self.weights = weights
        # Parameters whose shape depends on the number of outputs are the head.
        with torch.device("meta"):
            other = _construct(name, num_outputs + 1).state_dict()
        self.head_names = {key for key, value in self.net.state_dict().items() if value.shape != other[key].shape}
        if weights is not None:
            self._read_weights(weights)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return logits (N, K)."""
        return self.net(x_NCHW.expand(-1, 3, -1, -1) if self.repeats == 3 else x_NCHW)

    @property
    def output_layers(self) -> list[nn.Module]:
        """The layers of the head."""
        return [self.net.get_submodule(path) for path in sorted({name.rpartition(".")[0] for name in self.head_names})]

    @staticmethod
    def modern_name(name: str) -> str:
        """Return a weight's name today; torchvision's published densenet files are older than its module names."""
        return re.sub(r"(denselayer\d+\.(?:norm|conv))\.(\d)\.", r"\1\2.", name)

    def adjust_init(self) -> None:
        """Write the file's weights over the initial ones."""
        if self.weights is not None and not next(self.net.parameters()).is_meta:
            self.net.load_state_dict(_versioned(self._read_weights(self.weights), self.net), strict=False)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Load weights as any module does, such as those of a checkpoint."""
        return super().load_state_dict(_versioned(state_dict, self), strict, assign)

    def _read_weights(self, path: str) -> dict[str, Tensor]:
        """Return the file's tensors that fit, without a head of another size.

        Raises:
            ConfigError: The file cannot be read, or is not of this network.
        """
        initial = self.net.state_dict()
        read = {self.modern_name(name): tensor for name, tensor in read_weights(path, "model.weights").items()}
        read = {name: tensor for name, tensor in read.items() if not name.startswith(("aux1.", "aux2.", "AuxLogits."))}
        for name in self.head_names & read.keys():
            if read[name].shape != initial[name].shape:
                del read[name]
        unlike = [name for name in read if name not in initial or read[name].shape != initial[name].shape]
        absent = [name for name in initial.keys() - read.keys() if name not in self.head_names]
        if unlike or absent:
            first = f"{unlike[0]} does not fit" if unlike else f"{sorted(absent)[0]} is missing"
            number = len(unlike) + len(absent)
            raise ConfigError(f"model.weights: got {path}, whose names or shapes differ in {number} places: {first}")
        return read


def _versioned(weights: Mapping[str, Any], module: nn.Module) -> Mapping[str, Any]:
    """Return weights with the versions of a module's parts beside them, without which MNASNet reads none."""
    state = OrderedDict(weights)
    vars(state)["_metadata"] = getattr(module.state_dict(), "_metadata", None)
    return state


def _construct(name: str, num_outputs: int) -> nn.Module:
    options: dict[str, Any] = {}
    if name in ("googlenet", "inception_v3"):
        options = {"aux_logits": False, "init_weights": False}
    device = torch.get_default_device()
    # RegNet computes its widths with tensors, which the meta device cannot.
    with torch.device("cpu" if name.startswith("regnet") else device):
        return torchvision.models.get_model(name, weights=None, num_classes=num_outputs, **options).to(device)


def _draw_from_seeds(net: nn.Module) -> None:
    """Replace the layers that draw from torch's global generator."""
    for parent in list(net.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Dropout):
                setattr(parent, name, Inverted(p=child.p))
            elif isinstance(child, StochasticDepth):
                assert child.mode == "row", "torchvision's networks drop whole examples"
                setattr(parent, name, DropExample(p=child.p))


def _failure(net: nn.Module, height: int, width: int) -> str | None:
    """Return why the net cannot read images of this size, tried on the meta device; None if it can."""
    state = {name: torch.empty_like(value, device="meta") for name, value in net.state_dict().items()}
    try:
        with torch.no_grad():
            functional_call(net, state, torch.empty(1, 3, height, width, device="meta"))
    except (RuntimeError, AssertionError, ValueError, IndexError) as error:
        return first_line(error)
    return None


def _check_reads(net: nn.Module, name: str, height: int, width: int) -> None:
    net.eval()
    if (reason := _failure(net, height, width)) is not None:
        side = _smallest_side(net)
        more = " and more" if _failure(net, side + 32, side + 32) is None else ""
        reads = f"it reads {side}x{side}{more}"
        raise ConfigError(f"model.name: got {name} for images of {height}x{width} pixels ({reason}); {reads}")
    net.train()


def _smallest_side(net: nn.Module) -> int:
    """Return the least square side that the net reads, by bisection below the first common size that it reads."""
    side = next((side for side in SIDES if _failure(net, side, side) is None), SIDES[-1])
    too_small = max((other for other in SIDES if other < side), default=0)
    while side - too_small > 1:
        middle = (side + too_small) // 2
        if _failure(net, middle, middle) is None:
            side = middle
        else:
            too_small = middle
    return side
