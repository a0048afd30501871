"""What a configuration freezes of a model."""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from dlexp.build.start.name import idle_patterns, is_named, owners, wrapper_of
from dlexp.engine.freeze.mark import Frozen, freeze
from dlexp.error import ConfigError
from dlexp.number import noun
from dlexp.type import Config

_SHOWN = 8


def freeze_layers(config: Config, model: nn.Module) -> Frozen:
    """Mark what a configuration freezes of a model, and return it.

    Raises:
        ConfigError: A pattern names nothing, nothing is left to train, or the settings do not go together.
    """
    node = config["freeze"]
    patterns = _patterns(node)
    if not patterns:
        return Frozen()
    _require_epoch(node["until"], config["trainer"]["epochs"])
    key = "freeze.all_but" if node["all_but"] else "freeze.layers"
    names = [name for name, _ in model.named_parameters()]
    _require_names(key, patterns, names)
    wrapper, is_rest = wrapper_of(names), bool(node["all_but"])
    frozen = [name for name in names if is_named(name, patterns, wrapper) != is_rest]
    still = [path for path, module in model.named_modules() if isinstance(module, _BatchNorm)]
    norms = [path for path in still if is_named(path, patterns, wrapper) != is_rest] if node["norm"] else []
    _require_rest(key, patterns, [name for name, p in model.named_parameters() if p.requires_grad], frozen)
    marked = Frozen(tuple(frozen), tuple(norms))
    freeze(model, marked)
    return marked


def _patterns(node: Config) -> list[str]:
    """Return the patterns of the layers that are frozen, or of those that are not.

    Raises:
        ConfigError: Both are given, or something else where neither is.
    """
    if node["layers"] and node["all_but"]:
        raise ConfigError(
            f"freeze.all_but: got {node['all_but']} beside freeze.layers={node['layers']}; give one of them"
        )
    patterns = node["layers"] or node["all_but"]
    idle = {"freeze.until": node["until"] is not None, "freeze.norm": not node["norm"]}
    if not patterns and any(idle.values()):
        key = next(key for key, is_set in idle.items() if is_set)
        value = str(node[key.partition(".")[2]]).lower()
        raise ConfigError(f"{key}: got {value} with nothing frozen; name layers, for example 'freeze=[hidden*]'")
    return patterns


def _require_epoch(until: int | None, epochs: int) -> None:
    if until is not None and until >= epochs:
        raise ConfigError(
            f"freeze.until: got {until}; less than trainer.epochs={epochs} is needed, else the layers are never "
            "trained: leave freeze.until out for that"
        )


def _require_names(key: str, patterns: list[str], names: list[str]) -> None:
    if idle := idle_patterns(names, patterns):
        layers = owners(names)
        more = f" and {len(layers) - _SHOWN} more, which `dlexp summary` lists" if len(layers) > _SHOWN else ""
        raise ConfigError(
            f"{key}: got {idle[0]}, which names no layer with weights; there are {', '.join(layers[:_SHOWN])}{more}"
        )


def _require_rest(key: str, patterns: list[str], trained: list[str], frozen: list[str]) -> None:
    if not set(trained) - set(frozen):
        last = owners(trained)[-1] if trained else "output"
        raise ConfigError(
            f"{key}: got {patterns}, which freezes all of {noun(len(owners(frozen)), 'layer')}; leave one to train, "
            f"for example 'freeze.all_but=[{last}]'"
        )
