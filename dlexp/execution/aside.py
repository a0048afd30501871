"""What a command computes beside its trials, done where they train: in a worker that has the card, or in this process.

A process that computes on a card keeps some of its memory as long as it lives; the first process of a sweep or cv has
none of it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from dlexp import device as devices
from dlexp.build.components import Components
from dlexp.build.dataset import Datasets
from dlexp.config import trust
from dlexp.error import ConfigError, DlexpError
from dlexp.execution.dispatcher import HEAVY
from dlexp.execution.estimate import Estimate, estimate
from dlexp.execution.executor import explain
from dlexp.launcher.launcher import Launcher
from dlexp.launcher.pool import Lost
from dlexp.launcher.process_pool import ProcessPool
from dlexp.type import Config

Estimator = Callable[[list[Components]], Estimate]
Work = Callable[..., Any]  # a module's function of components of equal structure, and plain values
Place = dict[str, str]


def places(launcher: Launcher, trainer: dict[str, Any]) -> list[Place]:
    """Return the environment variables of each process that may train; one without any stands for this one."""
    threads = devices.given_threads(trainer["threads"]) or devices.TORCH_THREADS
    return launcher.places(trainer["device"], threads)


@contextmanager
def estimator(launcher: Launcher, trainer: dict[str, Any]) -> Iterator[Estimator]:
    """Give what measures trials of one structure; a worker that does it ends with the context.

    Args:
        launcher: Where trials train.
        trainer: Settings of the trials.
    """
    where = places(launcher, trainer)
    if not any(where):
        yield estimate
        return
    with _worker(where[0]) as do:
        yield partial(do, estimate)


def call(work: Work, launcher: Launcher, components: Components, *arguments: Any) -> Any:
    """Return what a function gives of a trial's components, called where the trial would train.

    Args:
        work: A module's function.
        launcher: Where trials train.
        components: Of the trial.
        arguments: Plain values that follow.

    Raises:
        ConfigError: The worker could not do it.
    """
    where = places(launcher, components.config["trainer"])
    if not any(where):
        return work(components, *arguments)
    with _worker(where[0]) as do:
        return do(partial(_of_first, work), [components], *arguments)


def _of_first(work: Work, components: list[Components], *arguments: Any) -> Any:
    return work(components[0], *arguments)


@contextmanager
def _worker(place: Place) -> Iterator[Callable[..., Any]]:
    pool = ProcessPool(_Worker, [place], [*(name for name in HEAVY if name in sys.modules), __name__])
    try:
        yield partial(_ask, pool)
    finally:
        pool.close()


def _ask(pool: ProcessPool, work: Work, components: list[Components], *arguments: Any) -> Any:
    """Return what the worker gives.

    Raises:
        ConfigError: It could not: the trials fail as they would when they are trained.
    """
    waiting = [(work, [each.config for each in components], arguments)]
    (told,) = pool.run(lambda: waiting.pop() if waiting else None, lambda: False)
    if isinstance(told, Lost):
        raise ConfigError(told.why)
    made, error = told
    if error is not None:
        raise error if isinstance(error, DlexpError) else ConfigError(error)
    return made


class _Worker:
    """Does what it is asked for and keeps the data it has loaded."""

    def __init__(self) -> None:
        self.datasets = Datasets()

    def __call__(
        self, task: tuple[Work, list[Config], tuple[Any, ...]], _should_stop: Callable[[], bool]
    ) -> Iterator[tuple[Any, DlexpError | str | None]]:
        """Yield what a function gives of the components of configurations, and what kept it from that."""
        work, configs, arguments = task
        trust.grant(configs[0]["trusted"])
        try:
            yield work([Components(config, self.datasets(config)) for config in configs], *arguments), None
        except DlexpError as error:
            yield None, error
        except Exception as error:
            yield None, explain(error)
