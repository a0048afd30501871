"""What holds for every test: one thread a process, and nothing that a test's own code leaves in the next one's way."""

import os
import signal
import sys
from pathlib import Path

import pytest

from dlexp.config import trust
from dlexp.config.signature import read

# results repeat, and two workers do not fight for cores
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
# under nohup a hang-up is ignored, by children too; the tests send it
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _apart(tmp_path_factory, monkeypatch):
    """A test neither sees nor changes what the user trusts, and its modules are gone after it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    monkeypatch.setattr(trust, "_granted", set())
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    base = tmp_path_factory.getbasetemp()
    origins = {name: getattr(module, "__file__", None) for name, module in sys.modules.copy().items()}
    made = [name for name, origin in origins.items() if origin and Path(origin).is_relative_to(base)]
    for name in made:
        del sys.modules[name]
    if made:
        read.cache_clear()
