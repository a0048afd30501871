"""Estimates measured where trials would train: in a worker that has the card, which the command's process stays off."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from dlexp.build.components import Components
from dlexp.build.dataset import Datasets
from dlexp.config import trust
from dlexp.error import ConfigError, DlexpError
from dlexp.execution.dispatcher import HEAVY
from dlexp.execution.estimate import Estimate, estimate
from dlexp.execution.executor import explain
from dlexp.launcher.pool import Lost
from dlexp.launcher.process_pool import ProcessPool
from dlexp.type import Config

Estimator = Callable[[list[Components]], Estimate]


@contextmanager
def estimator(places: list[dict[str, str]]) -> Iterator[Estimator]:
    """Give what measures trials of one structure; a worker that does ends with the context.

    Args:
        places: Environment variables of each process that would train; one without any stands for this process.
    """
    if not any(places):
        yield estimate
        return
    pool = ProcessPool(_Work, places[:1], [*(name for name in HEAVY if name in sys.modules), __name__])
    try:
        yield partial(_ask, pool)
    finally:
        pool.close()


def _ask(pool: ProcessPool, components: list[Components]) -> Estimate:
    """Return what a worker measures.

    Raises:
        ConfigError: It could not: the trials fail as they would when they are trained.
    """
    waiting = [[each.config for each in components]]
    (told,) = pool.run(lambda: waiting.pop() if waiting else None, lambda: False)
    if isinstance(told, Estimate):
        return told
    raise told if isinstance(told, DlexpError) else ConfigError(told.why if isinstance(told, Lost) else told)


class _Work:
    """What the worker does; it keeps the data it has loaded."""

    def __init__(self) -> None:
        self.datasets = Datasets()

    def __call__(self, configs: list[Config], _should_stop: Callable[[], bool]) -> Iterator[Any]:
        """Yield the estimate of trials of equal structure, or why there is none."""
        trust.grant(configs[0]["trusted"])
        try:
            yield estimate([Components(config, self.datasets(config)) for config in configs])
        except DlexpError as error:
            yield error
        except Exception as error:
            yield explain(error)
