"""What holds for every test: one thread a process, so that results repeat and two workers do not fight for cores."""

import os

import pytest

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")


@pytest.fixture(autouse=True)
def _own_configuration_folder(tmp_path_factory, monkeypatch):
    """A test neither sees nor changes what the user trusts."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
