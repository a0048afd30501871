"""A pool of workers that share nothing with the driver, for tests."""

from dlexp.execution.dispatcher import Dispatcher
from dlexp.launcher.local import Local
from dlexp.launcher.pool import Lost
from tests.execution.test_dispatcher import ends


class Away(Local):
    """Workers on machines that share nothing."""

    @property
    def is_distant(self) -> bool:
        return True

    @property
    def is_shared(self) -> bool:
        return False

    def places(self, device: str, threads: int) -> list[dict[str, str]]:
        return [{}, {}]


class Pool:
    """A worker that goes with its first task after as many events as `life` says, and changes what it sends."""

    def __init__(self, crew, life, change):
        self.places, self.work, self.life, self.change, self.tasks = crew.places, crew.make_work(), life, change, []

    def adopt(self, choose):
        pass

    def close(self):
        pass

    def run(self, take, should_stop, may_begin=None):
        while (task := take()) is not None:
            self.tasks.append(task)
            for event in self.work(task, should_stop):
                self.life -= 1
                if self.life == 0:
                    yield Lost(task, "node 7 is gone", "place")
                    break
                yield self.change(event)


def train(monkeypatch, holder, assignments, life=0, change=lambda event: event, should_stop=lambda: False):
    pools = []

    def pool(_self, crew, _threads):
        pools.append(Pool(crew, life, change))
        return pools[0]

    monkeypatch.setattr(Local, "pool", pool)
    with Dispatcher(holder, should_stop, Away()) as dispatcher:
        told = ends(dispatcher.train(assignments))
    return told, pools[0]
