"""What a run's manifest says about where its numbers come from: code, packages, machine, command, time."""

import getpass
import importlib.metadata
import platform
import shlex
import socket
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

from dlexp.config.source.environment import redact

PACKAGES = ("dlexp", "torch", "torchvision", "numpy", "safetensors", "scikit-learn", "hydra-core", "mlflow")


def environment() -> dict[str, Any]:
    """Return command, user, host, git commit, Python and package versions, without importing the packages."""
    return {
        "command": redact(shlex.join(["dlexp", *sys.argv[1:]])),
        "user": _user(),
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "packages": versions(PACKAGES),
        "git": git_state(),
    }


def versions(packages: tuple[str, ...]) -> dict[str, str | None]:
    """Return the installed version of each package; None for one that is absent."""
    installed: dict[str, str | None] = {}
    for package in packages:
        try:
            installed[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            installed[package] = None
    return installed


def git_state() -> dict[str, Any] | None:
    """Return commit and dirty flag (changes to tracked files) of the working directory; None outside a repository."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return None
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "dirty": None if changes is None else bool(changes)}


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return None


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=3, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def now() -> str:
    """Return the time as ISO 8601 in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def to_milliseconds(moment: str) -> int:
    """Return an ISO 8601 time as milliseconds since 1970."""
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
