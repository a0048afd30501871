"""What a worker on another machine must find there: the runs folder, the same versions, the user's code."""

import importlib.metadata
import os
import platform
import secrets
import socket
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from dlexp.disk.durable import write_text

PACKAGES = ("dlexp", "torch", "torchvision", "numpy")  # numbers depend on them
NONCE = "nonce"
PASSED_ON = ("OMP_WAIT_POLICY", "OPENBLAS_THREAD_TIMEOUT", "MPLCONFIGDIR", "CUBLAS_WORKSPACE_CONFIG")


@dataclass(frozen=True)
class Site:
    """The driver's side, as plain values that can be sent.

    Attributes:
        folder: Of the sweep or cv; a file with `nonce` lies in it. "" for none.
        nonce: A text that no other folder has.
        cwd: Working directory, where relative paths and the user's modules are looked for.
        paths: Where modules are looked for.
        versions: Of Python and of the packages that numbers depend on.
        variables: Environment variables for the worker.
        needs_gpu: Whether torch must see a GPU there.
    """

    folder: str
    nonce: str
    cwd: str
    paths: tuple[str, ...]
    versions: dict[str, str]
    variables: dict[str, str]
    needs_gpu: bool = False

    @classmethod
    def here(cls, folder: Path | None, *, needs_gpu: bool = False) -> "Site":
        """Describe this process, and put a nonce into the folder; None where workers need not see any."""
        nonce = secrets.token_hex(8)
        if folder is not None:
            write_text(folder / NONCE, nonce)
        variables = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return cls(str(folder or ""), nonce, str(Path.cwd()), tuple(sys.path), versions(), variables, needs_gpu)

    def enter(self) -> str | None:
        """Make this process one of the driver's; return in a line what is missing, None for nothing."""
        os.environ.update(self.variables)
        sys.path.extend(path for path in self.paths if path not in sys.path)
        if Path(self.cwd).is_dir():
            os.chdir(self.cwd)
        return self._obstacle(socket.gethostname())

    def _obstacle(self, host: str) -> str | None:
        if self.folder and (unseen := self._unseen(host)):
            return unseen
        other = {name: version for name, version in versions().items() if version != self.versions[name]}
        if other:
            told = ", ".join(f"{name} {version} ({self.versions[name]} here)" for name, version in other.items())
            return f"node {host} has {told}; install the same versions on all nodes"
        if self.needs_gpu and not _sees_gpu():
            return f"node {host} should have a GPU, and torch sees none there; choose nodes with GPUs, or ask for none"
        return None

    def _unseen(self, host: str) -> str | None:
        """Return in a line that a node does not see the folder."""
        try:
            text = Path(self.folder, NONCE).read_text()
        except OSError as error:
            why = error.strerror or type(error).__name__
            return f"node {host} does not see {self.folder} ({why}); runs_dir has to lie where all nodes see it"
        if text != self.nonce:
            return f"node {host} sees another folder as {self.folder}; runs_dir has to be the same for all nodes"
        return None


def versions() -> dict[str, str]:
    """Return the versions that numbers depend on; "none" for what is not installed."""
    return {"Python": ".".join(platform.python_version_tuple()[:2]), **{name: _version(name) for name in PACKAGES}}


def _sees_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def preload(modules: list[str]) -> None:
    """Import modules ahead of the work that needs them."""
    for module in modules:
        import_module(module)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"
