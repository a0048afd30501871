"""What `init_from` names, as the file of its weights: runs get others beside them, files stay what they are."""

import os
from pathlib import Path
from typing import Any

from dlexp.config.compose import compose
from dlexp.config.override import Override, override_of, parse
from dlexp.config.wording import yaml_value
from dlexp.engine.checkpoint import WEIGHTS
from dlexp.error import ConfigError
from dlexp.job.again import resume_command
from dlexp.job.export.source import find_source
from dlexp.run.folder import RunFolder
from dlexp.run.status import Status
from dlexp.weight.source import OF_A_RUN

KEY, NODE = "init_from.run", "init_from"
READ, UNREAD = (".safetensors", ".pt2", ".pth", ".pt", ".ckpt", ".bin", ".tar"), (".onnx",)  # endings of files


def locate(overrides: list[str], config_dir: Path | None = None, job: str = "train") -> list[str]:
    """Return overrides in which `init_from` names files: what `last` is, or a sweep's best, may change later.

    Args:
        overrides: As typed, some perhaps with sweep expressions.
        config_dir: A user's folder of YAML files.
        job: Whose configuration they make; it says where runs are.

    Raises:
        RunError: No such run.
        ConfigError: It has no weights that training could begin with.
    """
    parsed = parse(overrides)
    if not any(_names(override) for override in parsed):
        return overrides
    texts = [override.text for override in parsed if override.key == "runs_dir"]
    runs_dir = Path(compose(texts, config_dir=config_dir, job=job).config["runs_dir"]).expanduser()
    return [_located(override, runs_dir) if _names(override) else override.text for override in parsed]


def _names(override: Override) -> bool:
    is_node = override.key == NODE and isinstance(override.value, dict) and "run" in override.value
    return override.action != "delete" and (is_node or override.key == KEY)


def _located(override: Override, runs_dir: Path) -> str:
    if override.key == NODE:
        return override_of(NODE, {**override.value, "run": _file(override.value["run"], runs_dir)})
    if override.is_sweep and override.sweep is not None and override.sweep.kind == "choice":
        typed = [text.strip() for text in override.raw.split(",")]
        quoted = [yaml_value(_file(text.strip("'\""), runs_dir)) for text in typed]
        return f"{KEY}={','.join(quoted)}"
    if override.is_sweep:
        return override.text  # refused where the space is read
    return override_of(KEY, None if override.value is None else _file(override.raw.strip().strip("'\""), runs_dir))


def _file(ref: Any, runs_dir: Path) -> str | None:
    """Return the file of what a user names; None for none."""
    if ref in (None, "null"):
        return None
    path = os.path.expanduser(str(ref))
    if path.endswith(UNREAD):
        raise ConfigError(f"{KEY}: got {ref}; weights are read of {', '.join(READ)}: export the run as one of those")
    if os.path.isfile(path):
        return os.path.abspath(path)
    if path.endswith(READ):
        raise ConfigError(f"{KEY}: got {ref}; there is no such file: {OF_A_RUN}")
    return str(_weights_of(find_source(runs_dir, path).folder, str(ref)))


def _weights_of(folder: RunFolder, ref: str) -> Path:
    """Return the file of the best weights of a run that came to its end."""
    status, path = folder.manifest["status"], folder.checkpoints / "best" / WEIGHTS
    if not Status(status).has_value:
        cure = "name another run" if Status(status).is_over else f"let it come to its end (`{resume_command(folder)}`)"
        raise ConfigError(f"{KEY}: got {ref}, which is {status}; {cure}")
    if not path.is_file():
        raise ConfigError(f"{KEY}: got {ref}, which has no weights at {path}; restore them, or train it anew")
    return path
