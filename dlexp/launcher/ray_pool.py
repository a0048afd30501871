"""Workers that are actors of a Ray cluster."""

import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import ray
from ray._private import worker as ray_worker
from ray.exceptions import ActorUnavailableError, RayError, RayTaskError

from dlexp.error import EnvironmentFault, first_line, is_broken_device
from dlexp.launcher import site
from dlexp.launcher.launcher import Crew
from dlexp.launcher.pool import Cause, Lost, always
from dlexp.launcher.worker import Broken, Work

POLL_SECONDS = 0.1  # between two looks at the wish to stop
LOOK_SECONDS = 1.0  # between two looks at the nodes, of which a cluster may have thousands
PATIENCE_SECONDS = 30.0  # for a first worker, after which the user hears what is waited for
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PROBE_SECONDS = 3.0
OBJECT_STORE = 100 * 2**20  # bytes; nothing but small messages travels
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class InStore:
    """A content in the cluster's store of objects, which brings it to a node that asks for it."""

    ref: Any

    @classmethod
    def of(cls, content: bytes) -> "InStore":
        """Put a content into the store."""
        return cls(ray.put(content))

    def read(self) -> bytes:
        """Return the content."""
        return ray.get(self.ref)


class Worker:
    """A process on some node, of two threads: one works, one hears of the wish to stop."""

    def __init__(self) -> None:
        self._stopped: set[int] = set()
        self._work: Work | None = None

    def enter(self, place: site.Site) -> str | None:
        """Become a worker of the driver; return in a line what is missing here, None for nothing."""
        return place.enter()

    def prepare(self, make_work: Callable[[], Work], modules: list[str]) -> None:
        """Import what work needs."""
        site.preload(modules)
        self._work = make_work()

    def train(self, number: int, task: Any) -> Iterator[Any]:
        """Yield a task's events; the failure of a device is the last of them."""
        assert self._work is not None
        try:
            yield from self._work(task, lambda: number in self._stopped)
        except Exception as error:
            if not is_broken_device(error):
                raise
            yield Broken(first_line(error))

    def stop(self, number: int) -> None:
        """Ask a task to end; one that has not begun ends as soon as it does."""
        self._stopped.add(number)


class RayPool:
    """Actors of the cluster that this process has joined by `connect`; it leaves with them.

    A task goes to an actor that is there, never to one that is waited for: after a node was lost there may be no room
    for another, and those that are left do its work.

    Args:
        crew: Who they are.
        request: Resources of each: `num_cpus` and `num_gpus`.
        most: Workers at most; None for as many as there is room for.
        is_shared: Whether they see the crew's folder.

    Raises:
        EnvironmentFault: There is no room in it for a worker.
    """

    def __init__(self, crew: Crew, request: dict[str, float], most: int | None, *, is_shared: bool = True) -> None:
        self.detaches = False  # actors end with their driver
        self._crew, self._request, self._most = crew, request, most
        self._actor = ray.remote(Worker)
        self._site = site.Site.here(crew.folder if is_shared else None, needs_gpu=request["num_gpus"] > 0)
        self._coming: dict[Any, tuple[Any, bool]] = {}  # an answer that is awaited: actor, whether it is then ready
        self._idle: list[Any] = []
        self._busy: dict[Any, tuple[Any, int, Any]] = {}  # generator: actor, number, task
        self._count = 0
        self._room_seen, self._looked = range(0), float("-inf")  # what `places` said last, and when
        self._waits_since: float | None = None
        if not self.places:
            self.close()
            wanted = " and ".join(f"{value:g} {name[4:-1].upper()}" for name, value in request.items() if value)
            raise EnvironmentFault(f"launcher=ray: no node of the cluster has {wanted} for a worker; ask for less")

    @property
    def places(self) -> range:
        """As many numbers as there is room for workers on the nodes that live."""
        room = sum(self._room(node["Resources"]) for node in ray.nodes() if node["Alive"])
        return range(room if self._most is None else min(room, self._most))

    def adopt(self, choose: Callable[[Any], Any | None]) -> None:
        """Do nothing: workers end with their driver."""

    def run(
        self,
        take: Callable[[], Any | None],
        should_stop: Callable[[], bool],
        may_begin: Callable[[], bool] = always,
    ) -> Iterator[Any]:
        """Yield the events of tasks as they come; see `dlexp.launcher.pool.Pool.run`.

        Raises:
            EnvironmentFault: A node lacks what is needed.
        """
        is_told = False
        while True:
            is_stopping = should_stop()
            has_tasks = not is_stopping and may_begin() and self._deal(take)
            if not self._busy and not has_tasks:
                return
            if is_stopping and not is_told:
                is_told = True
                for actor, number, _task in self._busy.values():
                    actor.stop.remote(number)
            if has_tasks:
                self._ask()
            yield from self._next()

    def close(self) -> None:
        """End all actors at once, and leave the cluster."""
        coming = [actor for actor, _is_ready in self._coming.values()]
        for actor in [*self._idle, *coming, *(actor for actor, *_ in self._busy.values())]:
            ray.kill(actor)
        self._idle, self._coming, self._busy = [], {}, {}
        with _signals_kept():
            ray.shutdown()

    def _room(self, resources: dict[str, float]) -> int:
        amounts = {"CPU": self._request["num_cpus"], "GPU": self._request["num_gpus"]}
        return int(min(resources.get(name, 0) // amount for name, amount in amounts.items() if amount))

    def _deal(self, take: Callable[[], Any | None]) -> bool:
        """Give tasks to those that are idle; say whether there may be more than workers."""
        while self._idle:
            task = take()
            if task is None:
                return False
            actor, self._count = self._idle.pop(), self._count + 1
            events = actor.train.options(num_returns="streaming").remote(self._count, task)
            self._busy[events] = actor, self._count, task
        return True

    def _ask(self) -> None:
        """Ask for actors until there are as many as there is room for."""
        num = len(self._coming) + len(self._idle) + len(self._busy)
        if (now := time.monotonic()) - self._looked >= LOOK_SECONDS:
            self._room_seen, self._looked = self.places, now
        for _ in range(len(self._room_seen) - num):
            actor: Any = self._actor.options(max_restarts=0, max_concurrency=2, **self._request).remote()
            self._coming[actor.enter.remote(self._site)] = actor, False

    def _next(self) -> Iterator[Any]:
        """Yield what workers tell within a moment."""
        ready, _ = ray.wait([*self._coming, *self._busy], timeout=POLL_SECONDS, fetch_local=False)
        for source in ready:
            if source in self._coming:
                self._welcome(source)
            else:
                yield from self._hear(source)
        if self._busy or self._idle:
            self._waits_since = None
            return
        now = time.monotonic()
        self._waits_since = self._waits_since or now
        if now - self._waits_since > PATIENCE_SECONDS:
            self._waits_since = now + 1e9  # told once
            _log.warning("launcher=ray: waiting for the cluster to have room for a worker (%s)", self._request)

    def _welcome(self, answer: Any) -> None:
        """Take what a new actor says: what is missing there, or that it is ready.

        Raises:
            EnvironmentFault: A node lacks what is needed.
        """
        actor, is_ready = self._coming.pop(answer)
        try:
            obstacle = ray.get(answer)
        except RayError as error:
            if isinstance(error, RayTaskError) or getattr(error, "_actor_init_failed", False):
                raise EnvironmentFault(f"launcher=ray: a worker could not start: {_last_line(error)}") from error
            return  # its node went meanwhile; another is asked for
        if obstacle is not None:
            raise EnvironmentFault(f"launcher=ray: {obstacle}")
        if is_ready:
            self._idle.append(actor)
        else:
            self._coming[actor.prepare.remote(self._crew.make_work, self._crew.preload)] = actor, True

    def _hear(self, events: Any) -> Iterator[Any]:
        """Yield the next event of a task, or that it was lost."""
        actor = self._busy[events][0]
        try:
            event = ray.get(next(events))
        except StopIteration:
            del self._busy[events]
            self._idle.append(actor)
            return
        except RayTaskError:
            raise  # a fault of dlexp's own: failures of trials are events
        except RayError as error:
            is_of_place = _is_of_place(error)
            why = "its node went or is out of reach" if is_of_place else "its process died"
            yield self._drop(events, f"Ray worker: {why} ({first_line(error)})", "place" if is_of_place else "crash")
            return
        if isinstance(event, Broken):
            yield self._drop(events, f"Ray worker: {event.why}", "device")
            return
        yield event

    def _drop(self, events: Any, why: str, cause: Cause) -> Lost:
        actor, _number, task = self._busy.pop(events)
        with suppress(RayError):
            ray.kill(actor)
        return Lost(task, why, cause)


def _is_of_place(error: RayError) -> bool:
    """Say whether an actor was lost with its node, taken away, or out of reach, and not by its own doing."""
    is_taken = getattr(error, "_preempted", False)
    return isinstance(error, ActorUnavailableError) or is_taken or "node has died" in str(error)


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1]


def connect(address: str) -> None:
    """Join a cluster, or start one of this machine alone.

    Raises:
        EnvironmentFault: There is none.
    """
    cure = "start one with `ray start --head`, or choose launcher.address=local"
    fault = EnvironmentFault(f"launcher.address: got {address}; no Ray cluster answers there: {cure}")
    if not _answers(address):
        raise fault
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "namespace": "dlexp"}
    alone = {"include_dashboard": False, "object_store_memory": OBJECT_STORE, "_node_ip_address": "127.0.0.1"}
    ray_worker.print_to_stdstream = _say_nothing
    try:
        with _signals_kept():
            ray.init(address=address, **quiet, **(alone if address == "local" else {}))
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise fault from error


def _answers(address: str) -> bool:
    """Say whether anything listens at HOST:PORT: Ray would ask for half a minute."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        return True
    try:
        socket.create_connection((host.strip("[]"), int(port)), PROBE_SECONDS).close()
    except (OSError, OverflowError):
        return False
    return True


def _say_nothing(*_args: Any, **_kwargs: Any) -> None:
    """Take the place of what prints a lost worker's story on standard output, where ``--json`` goes.

    No setting of Ray's stops that; the pool tells of losses itself.
    """


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Keep this process's answers to signals; Ray puts its own."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, answer in before.items():
            signal.signal(number, answer)
