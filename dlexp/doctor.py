"""Looks at everything that a run needs and says what is wrong and how to mend it."""

import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

from packaging.requirements import Requirement
from typing_extensions import TypedDict

from dlexp.error import DlexpError, EnvironmentFault, first_line
from dlexp.number import noun
from dlexp.run.environment import versions
from dlexp.tracking import store
from dlexp.type import one_of

_LEAST_PYTHON = (3, 11)
_LEAST_FREE = 2**30  # bytes of disk: a few checkpoints of a large model
_GIB = 2**30
SHOWN = ("torch", "torchvision", "mlflow")  # packages that are shown when all is well, too


class Finding(TypedDict):
    """What was looked at, and whether it is well.

    Attributes:
        name: Of what was looked at.
        status: "warn" where something needs a cure.
        value: What was seen.
        cure: What to do about it; None where all is well.
    """

    name: str
    status: Annotated[str, one_of("ok", "warn")]
    value: str
    cure: str | None


def examine(
    runs_dir: Path, uri: str | None = None, timeout: float | None = None, launcher: dict[str, Any] | None = None
) -> list[Finding]:
    """Return the findings: Python, packages, devices, memory, disk, MLflow's store, extras.

    Args:
        runs_dir: Folder of all runs.
        uri: `tracking.uri`; None takes the default store.
        timeout: `tracking.timeout`; None takes its default.
        launcher: Configuration of what workers are asked of; None for none.
    """
    return [
        _python(),
        *_packages(),
        *_devices(),
        _memory(),
        _disk(runs_dir),
        _mlflow_store(runs_dir, uri, timeout),
        *_extras(),
        *([] if launcher is None else [_launcher(launcher, runs_dir)]),
    ]


def _finding(name: str, value: str, cure: str | None = None) -> Finding:
    return {"name": name, "status": "ok" if cure is None else "warn", "value": value, "cure": cure}


def _python() -> Finding:
    is_old = sys.version_info < _LEAST_PYTHON
    return _finding(
        "python", f"{platform.python_version()}, {sys.executable}", "install 3.11 or newer" if is_old else None
    )


def _packages() -> list[Finding]:
    """Compare the installed versions with the ones that dlexp's own metadata require."""
    if (required := _requirements()) is None:
        return [
            _finding("dlexp", "not installed, so what it requires is unknown", "pip install -e . beside its sources")
        ]
    judged = [(requirement, _shortfall(requirement)) for requirement in required if _applies(requirement)]
    return [
        _finding(
            requirement.name,
            shortfall or versions((requirement.name,))[requirement.name] or "",
            f"pip install '{_asked(requirement)}'" if shortfall else None,
        )
        for requirement, shortfall in judged
        if shortfall or requirement.name in SHOWN
    ]


def _requirements() -> list[Requirement] | None:
    """Return what dlexp's own metadata require, of its extras too; None where nobody installed the sources."""
    try:
        return [Requirement(text) for text in importlib.metadata.requires("dlexp") or []]
    except importlib.metadata.PackageNotFoundError:
        return None


def _applies(requirement: Requirement, extra: str = "") -> bool:
    """Say whether a requirement holds on this machine, with an extra or without any."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _asked(requirement: Requirement) -> str:
    """Return a requirement without its marker."""
    return f"{requirement.name}{requirement.specifier}"


def _shortfall(requirement: Requirement) -> str | None:
    """Say what is installed instead of what is required; None where the requirement is met."""
    installed = versions((requirement.name,))[requirement.name]
    if installed is None:
        return f"missing; required is {_asked(requirement)}"
    if requirement.specifier.contains(installed, prereleases=True):
        return None
    return f"{installed}; required is {_asked(requirement)}"


def _devices() -> list[Finding]:
    try:
        return _found_devices()
    except EnvironmentFault as error:  # a driver that does not come back
        told, _, cure = str(error).partition("; ")
        return [_finding("cuda", told.removeprefix("cuda: "), cure)]


def _found_devices() -> list[Finding]:
    import torch

    from dlexp.device import DRIVER
    from dlexp.gpu import visible
    from dlexp.gpu.child import setting

    if torch.backends.mps.is_available():
        return [_finding("mps", "available")]
    names = visible.visible_gpus()
    if names:
        return [*_cards(names), *_hidden(names)]
    cpu = f"training runs on the CPU with {noun(torch.get_num_threads(), 'thread')}"
    if visible.are_hidden_on_purpose():
        return [_finding("cuda", f"no device with {setting()}; {cpu}")]
    if hidden := _hidden(names):
        return hidden
    if DRIVER.exists():
        built = f"torch is built for CUDA {torch.version.cuda}" if torch.version.cuda else "torch is built without CUDA"
        return [_finding("cuda", f"an NVIDIA driver but no device; {built}", "install the torch that fits the driver")]
    return [_finding("cuda", f"no device; {cpu}")]


def _cards(names: list[str]) -> list[Finding]:
    from dlexp.gpu.check import check
    from dlexp.gpu.visible import SLICE

    places = [name if name.startswith(SLICE) else f"cuda:{index}" for index, name in enumerate(names)]
    return [_card(place, *health) for place, health in zip(places, check(names), strict=True)]


def _card(place: str, name: str, free: int, total: int, fault: str, is_full: bool, is_hung: bool) -> Finding:
    """Judge a device by its health; see `dlexp.gpu.check.Health`."""
    from dlexp.gpu.look import RESTART

    if is_hung:
        return _finding(place, fault, RESTART)
    if fault:
        cure = "end other programs on it" if is_full else "look at it with nvidia-smi"
        return _finding(place, f"{name}: {fault}" if name else fault, f"{cure}, or take another card")
    value = f"{name}, {free / _GIB:.1f} of {total / _GIB:.1f} GiB free"
    return _finding(place, value, "end other programs on it" if free < total / 10 else None)


def _hidden(seen: list[str]) -> list[Finding]:
    """Tell of names in CUDA_VISIBLE_DEVICES that are no device's, where devices are there."""
    from dlexp.gpu import visible
    from dlexp.gpu.child import setting
    from dlexp.gpu.look import seen_by_child

    unseen = [name for name in visible.names() if name not in seen]
    if not unseen or not (seen or seen_by_child(None)):
        return []
    value = f"{setting()}: {unseen[0]} is no device, and hides itself and what follows"
    return [_finding("cuda", value, "name devices as `nvidia-smi -L` lists them")]


def _memory() -> Finding:
    import psutil

    memory = psutil.virtual_memory()
    value = f"{memory.available / _GIB:.1f} of {memory.total / _GIB:.1f} GiB free, {os.cpu_count()} CPUs"
    return _finding("memory", value, "end other programs" if memory.available < _GIB else None)


def _disk(runs_dir: Path) -> Finding:
    place = runs_dir.resolve()
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK):
        return _finding("runs_dir", f"{place} may not be written to", "set runs_dir to another folder")
    free = shutil.disk_usage(place).free
    cure = "free some space or set runs_dir to another disk" if free < _LEAST_FREE else None
    return _finding("runs_dir", f"{runs_dir.resolve()}, {free / _GIB:.1f} GiB free", cure)


def _mlflow_store(runs_dir: Path, uri: str | None, timeout: float | None) -> Finding:
    try:
        chosen = store.choose(runs_dir, uri, timeout=timeout)
    except DlexpError as error:
        return _finding("mlflow store", str(error), "set the variable, or unset tracking.uri and MLFLOW_TRACKING_URI")
    if chosen.database is not None and not chosen.database.exists():
        return _finding("mlflow store", f"{chosen.name}, made by the first run")
    try:
        client = store.connect(chosen)
        experiments = len(client.search_experiments())
    except EnvironmentFault as error:
        told, _, cure = str(error).partition("; ")
        return _finding("mlflow store", told, cure or "unset tracking.uri and MLFLOW_TRACKING_URI")
    except Exception as error:  # whatever a database or server may raise is a finding, not a failure of the doctor
        text = first_line(error)[:200]
        return _finding(
            "mlflow store", f"{chosen.name}: {text}", "move the database away; `dlexp sync` fills a new one"
        )
    size = "" if chosen.database is None else f", {chosen.database.stat().st_size / 2**20:.1f} MiB"
    return _finding("mlflow store", f"{chosen.name}, {experiments} experiments{size}")


def _launcher(config: dict[str, Any], runs_dir: Path) -> Finding:
    """Have a worker say where it is: it must see the runs folder and have the same versions."""
    from dlexp.build.node import build
    from dlexp.launcher.hello import ask

    name = f"launcher {config['_target_'].rpartition('.')[2].lower()}"
    try:
        runs_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=runs_dir.resolve()) as place:
            host = ask(build(config), Path(place))
    except (DlexpError, OSError) as error:
        return _finding(name, str(error), "mend that first, or choose launcher=local")
    return _finding(name, f"a worker on {host} sees {runs_dir.resolve()} and has the same versions")


def _extras() -> list[Finding]:
    """Say which optional sets of packages are complete; one that nobody installed is no fault, an outdated one is."""
    if (required := _requirements()) is None:
        return []
    extras = importlib.metadata.metadata("dlexp").get_all("Provides-Extra") or []
    return [_extra(extra, required) for extra in extras]


def _extra(extra: str, required: list[Requirement]) -> Finding:
    wanted = [r for r in required if _applies(r, extra) and not _applies(r)]
    names = tuple(requirement.name for requirement in wanted)
    missing = [name for name, version in versions(names).items() if version is None]
    install = f"pip install 'dlexp[{extra}]'"
    if missing:
        return _finding(f"extra {extra}", f"not installed ({', '.join(missing)}): {install}")
    unmet = [f"{r.name} {shortfall}" for r in wanted if (shortfall := _shortfall(r))]
    return _finding(f"extra {extra}", ", ".join(unmet) or "installed", install if unmet else None)
