"""Whose code may run: the packages that the user named, by typing ``trusted=[...]`` or ``--trust``.

A run folder may come from anywhere, so what it lists under ``trusted`` counts only for packages that the user named
before, on this machine, for code in the same place. They are kept in ``dlexp/trust.json`` of the user's configuration
folder: name and place of each. Likewise a variable of the environment in a stored ``tracking.uri`` is sent to no host
but those for which the user typed it.
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

from dlexp.config import secret
from dlexp.durable import write_bytes
from dlexp.error import ConfigError, EnvironmentFault, RunError

_uris: set[str] = set()  # variables and hosts, as in the file; for where it cannot be written to
_granted: set[str] = set()  # of this process; workers are told by the configurations that they are sent
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
            raise ConfigError(f"trusted: got {name}; Python's own modules have no parts of a network, and cannot be it")
    if packages:
        look_in_working_directory()
    _granted.update(packages)


def look_in_working_directory() -> None:
    """Let modules in the working directory be found, after all others, as they are for ``python script.py``."""
    if (cwd := str(Path.cwd())) not in sys.path:
        sys.path.append(cwd)


def is_granted(package: str) -> bool:
    """Return whether code of a package may run in this process."""
    return package in _granted


def is_foreign() -> bool:
    """Say whether a run folder's words are being composed, which get no cure that would run its code."""
    return bool(_folder.get())


def accept_uri(uri: str) -> None:
    """Let the variables in a URI that the user typed be sent to its host, now and by what reads the run's folder."""
    if not is_foreign():
        _add({key: "uri" for key in _uri_keys(uri)})


def require_uri(uri: str) -> None:
    """Check that the user typed the variables of a URI for its host.

    Raises:
        EnvironmentFault: Not on this machine; the URI may be somebody else's.
    """
    known = _read()
    if strange := [key for key in _uri_keys(uri) if key not in known and key not in _uris]:
        name, _, place = strange[0].partition(" ")
        raise EnvironmentFault(
            f"{uri}: you have not named {name} for {place} on this machine; give the whole address with --uri"
        )


def _uri_keys(uri: str) -> list[str]:
    return [f"${{oc.env:{name}}} {secret.host(uri)}" for name in secret.variables(uri)]


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
    _remember(packages)


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
    look_in_working_directory()
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


def _remember(packages: Sequence[str]) -> None:
    """Keep name and place; where the user's configuration cannot be written to, --trust says it each time."""
    _add({name: place for name in packages if (place := _place(name))})


def _add(entries: dict[str, str]) -> None:
    _uris.update(key for key in entries if key.startswith("$"))
    before = _read()
    now = before | entries
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
