"""What holds for every test: one thread a process, and nothing that a test's own code leaves in the next one's way."""

import gc
import os
import signal
import sys
from itertools import count
from pathlib import Path

import pytest

from dlexp.config import trust
from dlexp.config.signature import read
from tests import picture

# results repeat, and two workers do not fight for cores
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
# under nohup a hang-up is ignored, by children too; the tests send it
signal.signal(signal.SIGHUP, signal.SIG_DFL)
_tests = count()
_lasting: set[str] = set()  # names of modules that no test made


def pytest_collection_finish():
    """What is there before the first test stays: a collection of garbage that went through all of it took 0.2 s."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _blank_pictures():
    with picture.blank():
        yield


@pytest.fixture
def drawn():
    """Figures become pictures, as users get them."""
    with picture.rendered():
        yield


@pytest.fixture(autouse=True)
def _apart(tmp_path_factory, monkeypatch):
    """A test neither sees nor changes what the user trusts, and its modules are gone after it."""
    base = tmp_path_factory.getbasetemp()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(base / "config" / str(next(_tests))))
    monkeypatch.setattr(trust, "_granted", set())
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    # only what is new is looked at: there are thousands of modules, and of tests
    origins = {name: getattr(sys.modules[name], "__file__", None) for name in sys.modules.keys() - _lasting}
    made = {name for name, origin in origins.items() if origin and Path(origin).is_relative_to(base)}
    _lasting.update(origins.keys() - made)
    for name in made:
        del sys.modules[name]
    if made:
        read.cache_clear()
