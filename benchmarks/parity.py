"""Our architectures against torchvision's: parameter counts, and outputs under copied weights.

Run ``python -m benchmarks.parity`` to print markdown tables, with ``--write docs/benchmarks.md`` to put them between
the marks ``<!-- parity:begin -->`` and ``<!-- parity:end -->``. Takes some minutes on two cores: every net runs at 224
pixels.
"""

import argparse
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import nn

from benchmarks.measure import replace_between
from dlexp.activation import ReLU
from dlexp.dropout import NoDropout
from dlexp.model.densenet import DenseNet
from dlexp.model.inception import GoogLeNet
from dlexp.model.resnet import ResNet
from dlexp.model.resnext import ResNeXt
from dlexp.model.vgg import CONVS, VGG
from dlexp.norm import BatchNorm, NoNorm

Naming = Callable[[str], str]


def resnet_name(name: str) -> str:
    """Translate a parameter's name in torchvision's ResNet (and ResNeXt) to ours."""
    name = re.sub(r"^conv1\.", "stem.conv.", name)
    name = re.sub(r"^bn1\.", "stem.norm.", name)
    name = re.sub(r"^layer(\d)", lambda m: f"stages.{int(m[1]) - 1}", name)
    name = re.sub(r"\.conv(\d)\.", lambda m: f".convs.{int(m[1]) - 1}.", name)
    name = re.sub(r"\.bn(\d)\.", lambda m: f".norms.{int(m[1]) - 1}.", name)
    return re.sub(r"^fc\.", "output.", name.replace(".downsample.", ".shortcut."))


def densenet_name(name: str) -> str:
    """Translate a parameter's name in torchvision's DenseNet to ours; `blocks` counts block, transition, pooling."""
    name = name.removeprefix("features.")
    name = re.sub(r"^(conv|norm)0\.", r"stem.\1.", name)
    name = re.sub(r"^norm5\.", "last_norm.", name)
    name = re.sub(r"^classifier\.", "output.", name)
    name = re.sub(r"^transition(\d)", lambda m: f"blocks.{3 * int(m[1]) - 2}", name)
    name = re.sub(
        r"^denseblock(\d)\.denselayer(\d+)", lambda m: f"blocks.{3 * int(m[1]) - 3}.units.{int(m[2]) - 1}", name
    )
    name = re.sub(r"\.(norm|conv)1\.", r".concat.conv.\1.", name)
    return re.sub(r"\.(norm|conv)2\.", r".conv.\1.", name)


def googlenet_name(name: str) -> str:
    """Translate a parameter's name in torchvision's GoogLeNet to ours; torchvision numbers the branches."""
    for theirs, ours in {"conv1": "stem.0", "conv2": "stem.2", "conv3": "stem.3"}.items():
        name = re.sub(rf"^{theirs}\.", f"{ours}.", name)
    branches = {"branch1": "branch1", "branch2": "branch3", "branch3": "branch5", "branch4": "branch_pool"}
    name = re.sub(r"\.(branch\d)\.", lambda m: f".{branches[m[1]]}.", name)
    name = re.sub(r"\.bn\.", ".norm.", name)
    return re.sub(r"^fc\.|fc2\.", "output.", name.replace("fc1.", "dense."))


def vgg_name(name: str, depth: int, has_norm: bool) -> str:
    """Translate a parameter's name in torchvision's VGG to ours; torchvision numbers all layers in one sequence."""
    place, index, kind = name.split(".")
    if place == "classifier":
        return f"head.{index}.{kind}"
    position = 0
    for stage, count in enumerate(CONVS[depth]):
        for unit in range(count):
            if position == int(index):
                return f"stages.{stage}.{unit}.conv.{kind}"
            if has_norm and position + 1 == int(index):
                return f"stages.{stage}.{unit}.norm.{kind}"
            position += 3 if has_norm else 2
        position += 1
    raise AssertionError(name)


@dataclass(frozen=True)
class Pair:
    """One net of torchvision and ours that must equal it.

    Attributes:
        reference: Name in torchvision.models.
        ours: Our class with its user parameters.
        naming: Translates torchvision's parameter names to ours.
        norm: Factory of our norm.
    """

    reference: str
    ours: Callable[..., nn.Module]
    naming: Naming
    norm: Callable[..., nn.Module]

    def build(self, in_shape: tuple[int, int, int] = (3, 224, 224)) -> nn.Module:
        """Return our net, ImageNet form, 1000 outputs, without dropout."""
        return self.ours(
            stem="imagenet",
            in_shape=in_shape,
            num_outputs=1000,
            norm=self.norm,
            activation=partial(ReLU),
            dropout=partial(NoDropout),
        )

    def build_reference(self) -> nn.Module:
        """Return torchvision's net, dropout off, without memory."""
        import torchvision

        options = {"init_weights": False} if self.reference == "googlenet" else {}
        with torch.device("meta"):
            net = torchvision.models.get_model(self.reference, weights=None, **options)
        for module in net.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        return net

    def counts(self) -> tuple[int, int]:
        """Return the number of parameters of ours and of torchvision's, built without memory."""
        with torch.device("meta"):
            return num_params(self.build()), num_params(self.build_reference())

    def copies(self, in_shape: tuple[int, int, int]) -> tuple[nn.Module, nn.Module]:
        """Return ours with the weights of torchvision's, and torchvision's; every name must find its place."""
        reference = self.build_reference().to_empty(device="cpu")
        # He's variance keeps the logits depending on the image; residual sums grow by themselves and take half of it.
        fill(reference, gain=1.0 if self.reference.startswith("res") else 2**0.5)
        with torch.device("meta"):
            ours = self.build(in_shape)
        state = {self.naming(name): tensor for name, tensor in reference.state_dict().items()}
        ours.load_state_dict(state, assign=True)
        return ours, reference

    def output_difference(self, side: int, num_images: int = 2) -> float:
        """Return the largest absolute difference of the logits in evaluation."""
        ours, reference = self.copies((3, side, side))
        images = torch.randn(num_images, 3, side, side, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            mine, theirs = ours.eval()(images), reference.eval()(images)
        assert (theirs[0] - theirs[1]).abs().max() > 0.01, "the logits must depend on the image"
        return (mine - theirs).abs().max().item()


def fill(model: nn.Module, gain: float) -> None:
    """Give all weights variance gain^2 / fan_in, and make statistics, scales and biases random, from one fixed seed."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.dim() >= 2:
                bound = gain * (3 / tensor[0].numel()) ** 0.5
                tensor.uniform_(-bound, bound, generator=generator)
            elif name.endswith(("bias", "running_mean")):
                tensor.uniform_(-0.2, 0.2, generator=generator)
            elif tensor.is_floating_point():
                tensor.uniform_(0.5, 1.5, generator=generator)
            else:
                tensor.zero_()


def num_params(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def all_pairs() -> list[Pair]:
    """Return every net that torchvision and dlexp share."""
    batch, none = partial(BatchNorm), partial(NoNorm)
    pairs = []
    for depth in (11, 13, 16, 19):
        for suffix, norm in (("", none), ("_bn", batch)):
            naming = partial(vgg_name, depth=depth, has_norm=norm is batch)
            pairs.append(Pair(f"vgg{depth}{suffix}", partial(VGG, depth), naming, norm))
    for depth in (18, 34, 50, 101, 152):
        pairs.append(Pair(f"resnet{depth}", partial(ResNet, depth), resnet_name, batch))
    pairs.append(Pair("resnext50_32x4d", partial(ResNeXt, 50, 32, 4), resnet_name, batch))
    pairs.append(Pair("resnext101_32x8d", partial(ResNeXt, 101, 32, 8), resnet_name, batch))
    for depth in (121, 169, 201):
        pairs.append(Pair(f"densenet{depth}", partial(DenseNet, depth), densenet_name, batch))
    googlenet = partial(GoogLeNet, variant="torchvision")
    pairs.append(Pair("googlenet", googlenet, googlenet_name, partial(BatchNorm, eps=1e-3)))
    return pairs


# Parameters in millions as printed in the papers: He et al. (2016), table 6; Huang et al. (2017), table 2.
PAPER: dict[str, tuple[Callable[..., nn.Module], str]] = {
    "ResNet-20": (partial(ResNet, 20), "0.27"),
    "ResNet-32": (partial(ResNet, 32), "0.46"),
    "ResNet-44": (partial(ResNet, 44), "0.66"),
    "ResNet-56": (partial(ResNet, 56), "0.85"),
    "ResNet-110": (partial(ResNet, 110), "1.7"),
    "DenseNet (L=40, k=12)": (partial(DenseNet, 40, 12, bottleneck=False, compression=1.0), "1.0"),
    "DenseNet (L=100, k=12)": (partial(DenseNet, 100, 12, bottleneck=False, compression=1.0), "7.0"),
    "DenseNet (L=100, k=24)": (partial(DenseNet, 100, 24, bottleneck=False, compression=1.0), "27.2"),
    "DenseNet-BC (L=100, k=12)": (partial(DenseNet, 100, 12), "0.8"),
    "DenseNet-BC (L=250, k=24)": (partial(DenseNet, 250, 24), "15.3"),
    "DenseNet-BC (L=190, k=40)": (partial(DenseNet, 190, 40), "25.6"),
}


def paper_count(name: str) -> int:
    """Return our number of parameters for a net of `PAPER` on CIFAR-10, built without memory."""
    build, _ = PAPER[name]
    with torch.device("meta"):
        model = build(
            in_shape=(3, 32, 32),
            num_outputs=10,
            norm=partial(BatchNorm),
            activation=partial(ReLU),
            dropout=partial(NoDropout),
        )
    return num_params(model)


def tables() -> str:
    """Return both tables as markdown."""
    lines = [
        "| torchvision's net | parameters, ours | parameters, torchvision | difference | max abs output difference |",
        "|---|---:|---:|---:|---:|",
    ]
    for pair in all_pairs():
        mine, theirs = pair.counts()
        difference = pair.output_difference(224)
        lines.append(f"| {pair.reference} | {mine:,} | {theirs:,} | {mine - theirs:,} | {difference:.1e} |")
        print(pair.reference, file=sys.stderr)
    lines += [
        "",
        "| net on CIFAR-10 | parameters, ours | paper's table, millions | ours, same digits |",
        "|---|---:|---:|---:|",
    ]
    for name, (_, printed) in PAPER.items():
        count = paper_count(name)
        digits = len(printed.partition(".")[2])
        lines.append(f"| {name} | {count:,} | {printed} | {count / 1e6:.{digits}f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="markdown file whose marked lines are replaced")
    path = parser.parse_args().write
    table = tables()
    print(table)
    if path is not None:
        path.write_text(replace_between(path.read_text(), "parity", table))


if __name__ == "__main__":
    main()
