"""What a `_target_` of a trusted package may be: a class, and of torch and torchvision a layer, model or update rule.

Whoever trusts torch for its layers has not said that a YAML file may call ``torch.load``, which runs what a pickle
says, or name a class of torch that starts a process.
"""

import ast

from dlexp.config.source.definition import locate
from dlexp.config.wording import show
from dlexp.error import ConfigError

WHERE = {  # of a library that dlexp uses, where classes that may be named are defined
    "torch": ("torch.nn.modules.", "torch.optim."),
    "torchvision": ("torchvision.models.", "torchvision.ops."),
}


def require_class(path: str, target: str) -> None:
    """Check what a target is, by its source.

    Args:
        path: The key of the node that has it.
        target: A dotted path, not of dlexp.

    Raises:
        ConfigError: It is a function, or of another part of torch.
    """
    definition = locate(target)
    if not isinstance(definition.node, ast.ClassDef):
        name = target.rpartition(".")[2]
        is_net = path == "model" and definition.target.startswith("torchvision.models.")
        cure = f": model=torchvision model.name={show(name)} takes it" if is_net else ""
        raise ConfigError(f"{path}._target_: got {show(target)}; it is a function, a class is needed{cure}")
    places = WHERE.get(definition.target.split(".")[0])
    if places is not None and not definition.target.startswith(places):
        raise ConfigError(f"{path}._target_: got {show(target)}; choose a class below {' or '.join(places)}")
    if path == "optimizer" and definition.target.startswith("torch.optim."):
        raise ConfigError(
            f"{path}._target_: got {show(target)}; it moves one module's parameters, a rule of (trials, parameters) is "
            "needed: `dlexp options optimizer` lists those there are, `dlexp new optimizer NAME` writes one"
        )
