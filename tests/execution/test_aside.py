"""What is done beside the trials, and what comes of a worker that cannot; `tests/nullgpu` has a real one on a card."""

from types import SimpleNamespace
from typing import Any

import pytest

from dlexp.build.components import Components
from dlexp.config.resolve import resolve
from dlexp.error import ConfigError
from dlexp.execution import aside
from dlexp.launcher.pool import Lost


class Here:
    """A pool whose worker is this process."""

    def __init__(self, make_work, environments, _preload):
        self.work, self.environments, self.is_closed = make_work(), environments, False
        pools.append(self)

    def run(self, take, should_stop):
        while (task := take()) is not None:
            yield from self.work(task, should_stop)

    def close(self):
        self.is_closed = True


pools: list[Here] = []
CARDS: Any = SimpleNamespace(
    places=lambda device, threads: [{"CUDA_VISIBLE_DEVICES": "1"}, {"CUDA_VISIBLE_DEVICES": "0"}]
)
CPU: Any = SimpleNamespace(places=lambda device, threads: [{}, {}])


@pytest.fixture
def components():
    return Components.of(resolve(["data.limit=200", "trainer.device=cpu", "trainer.threads=1"]).config)


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    pools.clear()
    monkeypatch.setattr(aside, "ProcessPool", Here)


def test_what_this_process_trains_it_measures(components):
    with aside.estimator(CPU, components.config["trainer"]) as estimate:
        assert estimate is aside.estimate
    assert aside.call(lambda *got: got, CPU, components, 1) == (components, 1)
    assert pools == []


def test_a_worker_gets_the_first_place_and_ends(components, monkeypatch):
    monkeypatch.setattr(aside, "estimate", lambda built: [each.config for each in built])
    with aside.estimator(CARDS, components.config["trainer"]) as estimate:
        assert estimate([components]) == [components.config]
        assert estimate([components] * 3) == [components.config] * 3
        (pool,) = pools
        assert not pool.is_closed
    assert (pool.environments, pool.is_closed) == ([{"CUDA_VISIBLE_DEVICES": "1"}], True)


def test_a_worker_builds_what_the_configuration_names(components):
    digest, again = aside.call(lambda built, word: (built.data.fingerprint, word), CARDS, components, "again")
    assert (digest, again) == (components.data.fingerprint, "again")
    assert pools[0].is_closed


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ConfigError("model: got 3; choose 2"), "model: got 3; choose 2"),
        (RuntimeError("boom\nand more"), "RuntimeError: boom"),
    ],
)
def test_what_fails_there_fails_here_in_a_line(components, error, message):
    def fail(_components):
        raise error

    with pytest.raises(ConfigError) as raised:
        aside.call(fail, CARDS, components)
    assert str(raised.value) == message
    assert pools[0].is_closed


def test_a_worker_that_dies_is_named(components, monkeypatch):
    monkeypatch.setattr(Here, "run", lambda *_: iter([Lost([], "worker process 7 was ended by signal 9 (SIGKILL)")]))
    with pytest.raises(ConfigError, match="worker process 7 was ended by signal 9"):
        aside.call(print, CARDS, components)
