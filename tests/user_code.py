"""A user's own models, optimiser and schedule, in a folder outside this repository: a module and its YAML files."""

from pathlib import Path

SOURCE = '''"""Parts of a network."""
import torch

from dlexp.type import PerTrial, Positive


class MyNet(torch.nn.Module):
    """My net.

    Args:
        width: Units.
    """

    def __init__(self, width: int = 5, act=torch.nn.ReLU, *, in_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__()
        size = torch.Size(in_shape).numel()
        self.net = torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(size, width), act(), torch.nn.Linear(width, num_outputs)
        )

    def forward(self, x):
        return self.net(x)


class Gated(torch.nn.Module):
    """Layers, and a line of plain torch code between them."""

    def __init__(self, width: int = 6, *, in_shape: tuple[int, ...], num_outputs: int, norm) -> None:
        super().__init__()
        size = torch.Size(in_shape).numel()
        self.gate, self.value = torch.nn.Linear(size, width), torch.nn.Linear(size, width)
        self.norm, self.output = norm(num_features=width), torch.nn.Linear(width, num_outputs)

    def forward(self, x):
        x = x.flatten(1)
        return self.output(self.norm(self.gate(x).sigmoid() * self.value(x)))


class SignDescent:
    """Steps of equal length.

    Args:
        lr: Step size per update.
    """

    def __init__(self, lr: PerTrial[Positive] = 0.001) -> None:
        self.lr = lr

    def init(self, params_TP):
        return {}

    def update(self, params_TP, grads_TP, state, lr_T1, step, decay_P):
        params_TP.sub_(lr_T1 * grads_TP.sign())


class InverseRoot:
    """A rate that falls with the root of the steps."""

    def __init__(self, scale: float = 100.0, *, total_steps: int) -> None:
        self.scale = scale

    def factor(self, step_S):
        return (1 + step_S / self.scale) ** -0.5
'''
OPTIONS = {
    "model/mynet": "MyNet\nwidth: 7",
    "model/gated": "Gated\nwidth: 6",
    "optimizer/sign": "SignDescent\nlr: 0.001",
    "schedule/root": "InverseRoot\nscale: 3.0",
}


def write(folder: Path) -> Path:
    """Write ``my_package.py`` and, below ``own``, the YAML files of its classes; return the folder."""
    (folder / "my_package.py").write_text(SOURCE)
    for option, lines in OPTIONS.items():
        path = folder / "own" / f"{option}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# Mine.\n_target_: my_package.{lines}\n")
    return folder
