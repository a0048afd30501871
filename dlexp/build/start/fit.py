"""Weights of another model put into one, by name and shape; what does not fit is refused unless it is named."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlexp.build.start.name import WRAPPER, idle_patterns, is_named, owners, wrapper_of
from dlexp.error import ConfigError
from dlexp.model.decoder import PREFIXES
from dlexp.number import noun
from dlexp.type import Config
from dlexp.weight.source import OF_A_RUN, read_weights

COUNTED = "num_batches_tracked"  # that old files lack
_SHOWN = 4


@dataclass(frozen=True)
class Start:
    """What a model took of another one's weights.

    Attributes:
        taken: Names in the model.
        left: Names in the model that keep their random start.
    """

    taken: list[str]
    left: list[str]

    @property
    def words(self) -> str:
        """What the user is told: how many weights were taken, and which layers begin anew."""
        anew = f" ({', '.join(owners(self.left))} at random)" if self.left else ""
        return f"{len(self.taken)} of {noun(len(self.taken) + len(self.left), 'weight')}{anew}"


@torch.no_grad()
def load_start(config: Config, model: nn.Module) -> Start:
    """Write the weights that a configuration names over the first ones of a model; buffers too.

    Of an autoencoder the decoder is left where the model has none, and layers that it lacks, such as the output, begin
    anew. On the meta device it is only seen whether weights fit.

    Raises:
        ConfigError: They cannot be read, or do not fit and `init_from.skip` does not name them.
    """
    node = config["init_from"]
    if node["run"] is None:
        if node["skip"]:
            raise ConfigError(f"init_from.skip: got {node['skip']} without init_from; give init_from=RUN, or remove it")
        return Start([], [])
    held = model.state_dict(keep_vars=True)
    now = getattr(model, "modern_name", str)
    read = read_weights(node["run"], "init_from.run", OF_A_RUN)
    given = as_named({now(name): value for name, value in read.items()}, held)
    _require_patterns(node["skip"], [*held, *given])
    wrapper = wrapper_of([*held, *given])
    given, wanted = (_without(each, node["skip"], wrapper) for each in (given, held))
    if any(name.startswith(PREFIXES) for name in given):
        wanted = {name: value for name, value in wanted.items() if name in given}
        given = {name: value for name, value in given.items() if name in held or not name.startswith(PREFIXES)}
    if faults := _faults(wanted, given):
        raise _misfit(node["run"], faults)
    taken = [name for name in wanted if name in given]
    for name in taken:
        if not held[name].is_meta:
            held[name].detach().copy_(given[name])
    return Start(taken, [name for name in held if name not in wanted])


def _without(tensors: dict[str, Tensor], patterns: list[str], wrapper: str) -> dict[str, Tensor]:
    return {name: value for name, value in tensors.items() if not is_named(name, patterns, wrapper)}


def as_named(given: dict[str, Tensor], held: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights under the names of a model: as they are, or without or with a beginning, whichever fits most.

    In files names begin with more where the net was part of something: an exported graph (`network.`), one that trained
    on many devices (`module.`), was compiled (`_orig_mod.`) or had a class around it (`model.`). What stands beside it
    is then no part of the net. Names of torchvision lack what a model has here.
    """
    forms = [given]
    while beginning := _beginning(forms[-1]):
        forms.append({n.removeprefix(beginning): v for n, v in forms[-1].items() if n.startswith(beginning)})
    forms += [{f"{WRAPPER}{name}": value for name, value in form.items()} for form in forms]
    return max(forms, key=lambda form: len(form.keys() & held.keys()))  # the first of equals


def _beginning(names: Collection[str]) -> str:
    """Return the first component of more than half of the names, with its dot; nothing if there is none."""
    firsts = Counter(f"{first}." for first, dot, _ in (name.partition(".") for name in names) if dot)
    return next((first for first, number in firsts.most_common(1) if 2 * number > len(names)), "")


def _faults(wanted: dict[str, Tensor], given: dict[str, Tensor]) -> dict[str, str]:
    """Return what does not fit, by name."""
    faults = {}
    for name, value in wanted.items():
        if name not in given:
            if not name.endswith(COUNTED):
                faults[name] = "is not in it"
        elif given[name].shape != value.shape:
            faults[name] = f"is {list(given[name].shape)} there and {list(value.shape)} here"
    return faults | {name: "is not in this model" for name in given if name not in wanted}


def _misfit(path: str, faults: dict[str, str]) -> ConfigError:
    shown = ", ".join(f"{name} {fault}" for name, fault in list(faults.items())[:_SHOWN])
    more = f" and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    layers = owners(faults)
    cure = "choose the model that it was"
    if len(layers) <= _SHOWN:
        cure += f", or leave them out by 'init_from.skip=[{','.join(layers)}]'"
    what = f"of which {noun(len(faults), 'weight')} do not fit"
    return ConfigError(f"init_from.run: got {path}, {what}: {shown}{more}; {cure}")


def _require_patterns(patterns: list[str], names: list[str]) -> None:
    if idle := idle_patterns(names, patterns):
        layers = owners(names)
        shown = ", ".join(layers[: 2 * _SHOWN])
        raise ConfigError(f"init_from.skip: got {idle[0]}, which names no weight; there are {shown}")
