"""Whose code may run: the packages that the user named, by typing ``trusted=[...]`` or ``--trust``.

A run folder may come from anywhere, so what it lists under ``trusted`` counts only for packages that the user named
before, on this machine, for code in the same place; likewise texts that refer to the environment, which
may hold secrets. They are kept in ``dlexp/trust.json`` of the user's configuration folder.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from dlexp.disk.durable import write_bytes
from dlexp.error import ConfigError, RunError

LIBRARIES = (  # that dlexp uses, torch and torchvision aside: none of their classes is a component
    *("annotated_types", "hydra", "matplotlib", "mlflow", "numpy", "omegaconf", "optuna", "packaging", "PIL", "psutil"),
    *("pydantic", "rich", "safetensors", "scipy", "sklearn", "typer", "typing_extensions", "yaml"),
)
REFERENCE = "a reference to the environment"
CONTENT = "sha256 "  # before the hash of a file that may be read though reading it runs what is in it
_granted: set[str] = set()  # of this process; workers are told by the configurations that they are sent
_typed: set[str] = set()  # packages and references that the user typed for this process
_folder: ContextVar[str] = ContextVar("folder", default="")  # the run whose stored words are being composed


def grant(packages: Sequence[str]) -> None:
    """Let the code of packages run in this process, and modules in the working directory be found.

    Args:
        packages: The user's; without any, nothing changes.

    Raises:
        ConfigError: One is no name of a package, or belongs to Python itself.
    """
    for name in packages:
        if not re.fullmatch(r"[^\W\d]\w*", name) or name == "dlexp":
            raise ConfigError(f"trusted: got {name!r}; the name of a package, without dots, is needed")
        if name in sys.stdlib_module_names:
            raise ConfigError(f"trusted: got {name}; Python's own modules hold no component of a network")
        if name in LIBRARIES:
            raise ConfigError(f"trusted: got {name}; it holds no component of a network, and classes that write files")
    if packages:
        look_in_working_directory()
    _granted.update(packages)


def look_in_working_directory() -> None:
    """Let modules in the working directory be found, after all others, as they are for ``python script.py``."""
    if (cwd := str(Path.cwd())) not in sys.path:
        sys.path.append(cwd)


def look_where_named(packages: Sequence[str]) -> None:
    """Let packages be found that are no modules here but lie where they lay when the user named them.

    Args:
        packages: That a run folder lists; those that the user never named are not looked for.
    """
    if not packages:
        return
    look_in_working_directory()
    known = _read()
    for name in packages:
        if (place := known.get(name, REFERENCE)) != REFERENCE and _place(name) is None and Path(place).exists():
            sys.path.append(str(Path(place).parent))


def is_granted(package: str) -> bool:
    """Return whether code of a package may run in this process."""
    return package in _granted


def is_foreign() -> bool:
    """Say whether a run folder's words are being composed, which get no cure that would run its code."""
    return bool(_folder.get())


def accept(packages: Sequence[str]) -> None:
    """Take what a configuration lists under ``trusted``: the user's own words count, a run folder's must be known.

    Raises:
        ConfigError: See `grant`.
        RunError: A run folder lists what the user never named.
    """
    if run := _folder.get():
        require(packages, run)
        return
    grant(packages)
    _remember({name: place for name in packages if (place := _place(name))})


def accept_references(values: Any) -> None:
    """Take what refers to the environment: the user's own words count, a run folder's must be known.

    A folder from elsewhere could otherwise have the user's tokens sent to a server that it names.

    Args:
        values: Texts, alone or in nested dicts and lists.

    Raises:
        RunError: A run folder refers to what the user never typed.
    """
    if run := _folder.get():
        require_references(values, run)
    else:
        _remember({text: REFERENCE for text in _references(values)})


def require_references(values: Any, where: str) -> None:
    """Check that the user typed, on this machine, each text that refers to the environment.

    Args:
        values: Texts, alone or in nested dicts and lists.
        where: The run or key that has them.

    Raises:
        RunError: One is unknown.
    """
    texts = _references(values)
    known = _read() if texts else {}
    if strange := [text for text in texts if known.get(text) != REFERENCE and text not in _typed]:
        raise RunError(
            f"{where}: reads the environment by {', '.join(map(repr, strange))}, which you have not typed on this "
            f"machine; if it may, type it once: dlexp config tracking.uri='{strange[0]}'"
        )


def _references(values: Any) -> list[str]:
    """Return the texts that refer to the environment, sorted."""
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, list):
        return sorted({text for value in values for text in _references(value)})
    return [values] if isinstance(values, str) and "oc.env" in values else []


def accept_file(digest: str, path: Path) -> None:
    """Take a file for the user's own, by the SHA-256 of its content: dlexp wrote it, or the user named it."""
    _remember({f"{CONTENT}{digest}": str(path.absolute())})


def knows_file(digest: str) -> bool:
    """Say whether a file of this SHA-256 was written by dlexp on this machine, or named by the user."""
    key = f"{CONTENT}{digest}"
    return key in _typed or key in _read()


@contextmanager
def words_of(run_id: str) -> Iterator[None]:
    """Within the context, what is composed are a run folder's words and not the user's."""
    token = _folder.set(run_id)
    try:
        yield
    finally:
        _folder.reset(token)


def require(packages: Sequence[str], run_id: str) -> None:
    """Let the code that a run folder lists run, if the user named it before.

    Raises:
        RunError: The user never named one of them, or its code lies elsewhere now.
    """
    if not packages:
        return
    look_where_named(packages)
    known = _read()
    if strange := [name for name in packages if name not in _granted and known.get(name, "") != _place(name)]:
        raise RunError(
            f"{run_id}: its configuration runs code of {', '.join(map(repr, strange))}, which you have not named on "
            "this machine; read that code, then give the command again with --trust and its name"
        )
    grant(packages)


def _file() -> Path:
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "dlexp" / "trust.json"


def _read() -> dict[str, str]:
    try:
        content = json.loads(_file().read_bytes())
    except (OSError, ValueError, RuntimeError):  # RuntimeError: there is no home
        return {}
    return content if isinstance(content, dict) else {}


def _remember(words: dict[str, str]) -> None:
    """Keep the user's words; where the user's configuration cannot be written to, they are said each time."""
    _typed.update(words)
    before = _read()
    now = before | words
    if now != before:
        with suppress(OSError, RuntimeError):
            _file().parent.mkdir(parents=True, exist_ok=True)
            write_bytes(_file(), json.dumps(now, indent=1, sort_keys=True).encode())


def _place(package: str) -> str | None:
    """Return where a package's code lies, without importing it; None where there is none."""
    spec = PathFinder.find_spec(package)
    if spec is None:
        return None
    folders = list(spec.submodule_search_locations or [])
    return str(Path(folders[0] if folders else str(spec.origin)).resolve())
