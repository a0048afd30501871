"""Where estimates are measured, and what comes of a worker that cannot. `tests/nullgpu` has a real one on a card."""

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


@pytest.fixture
def components():
    config = resolve(["data.limit=200", "trainer.epochs=1", "trainer.device=cpu", "model.widths=[8]"]).config
    return [Components.of(config)]


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    pools.clear()
    monkeypatch.setattr(aside, "ProcessPool", Here)


def test_places_of_this_process_need_no_worker(components):
    with aside.estimator([{}, {}]) as estimate:
        assert estimate is aside.estimate
    assert pools == []


def test_a_worker_gets_the_first_place_and_ends(components, monkeypatch):
    monkeypatch.setattr(aside, "estimate", lambda built: [each.config == components[0].config for each in built])
    monkeypatch.setattr(aside, "Estimate", list)
    with aside.estimator([{"CUDA_VISIBLE_DEVICES": "1"}, {"CUDA_VISIBLE_DEVICES": "0"}]) as estimate:
        assert estimate(components) == [True]
        assert estimate(components * 3) == [True] * 3
    (pool,) = pools
    assert (pool.environments, pool.is_closed) == ([{"CUDA_VISIBLE_DEVICES": "1"}], True)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ConfigError("model: got 3; choose 2"), "model: got 3; choose 2"),
        (RuntimeError("boom\nand more"), "RuntimeError: boom"),
    ],
)
def test_what_fails_there_fails_here_in_a_line(components, monkeypatch, error, message):
    def fail(_components):
        raise error

    monkeypatch.setattr(aside, "estimate", fail)
    with aside.estimator([{"CUDA_VISIBLE_DEVICES": "0"}]) as estimate, pytest.raises(ConfigError) as raised:
        estimate(components)
    assert str(raised.value) == message


def test_a_worker_that_dies_is_named(components, monkeypatch):
    monkeypatch.setattr(Here, "run", lambda *_: iter([Lost([], "worker process 7 was ended by signal 9 (SIGKILL)")]))
    with aside.estimator([{"CUDA_VISIBLE_DEVICES": "0"}]) as estimate, pytest.raises(ConfigError, match="process 7"):
        estimate(components)
