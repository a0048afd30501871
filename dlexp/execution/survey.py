"""Has the engine of each structure chosen, where its trials will train: all at once, as workers may be waited for."""

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from dlexp.build.components import Components
from dlexp.execution.assignment import Answer, Survey
from dlexp.execution.executor import Executor
from dlexp.execution.fusion import SOLO, Choice, recall, remember
from dlexp.execution.retry import MOST_MOVES
from dlexp.launcher.pool import Lost, Pool


def choose_all(
    surveys: list[Survey],
    executor: Executor,
    pool: Pool | None,
    should_stop: Callable[[], bool],
    enclose: Callable[[Survey], Survey] | None = None,
) -> dict[int, Choice | str]:
    """Return how the trials of each survey train best, or why that is unknown, by the survey's number.

    Args:
        surveys: One for each structure.
        executor: Answers what takes no device.
        pool: Workers, where trials train there; None where they train in this process.
        should_stop: The wish to stop.
        enclose: Makes of a survey what workers get that do not see its files; this process then reads and writes its
            record. None where they see them.
    """
    answers: dict[int, Choice | str] = {}
    waiting: deque[Survey] = deque()
    for survey in surveys:
        if enclose is not None and (known := recall(_components(survey), survey.record)) is not None:
            answers[survey.number] = known
        elif pool is not None and _has_to_measure(survey):
            waiting.append(survey if enclose is None else enclose(survey))
        else:
            answers[survey.number] = next(executor.survey(survey)).choice
    if pool is not None and waiting:
        _ask(pool, waiting, answers, should_stop)
        for survey in surveys if enclose is not None else []:
            if isinstance(choice := answers.get(survey.number), Choice):
                remember(_components(survey), survey.record, choice)
    return {survey.number: answers.get(survey.number, SOLO) for survey in surveys}


def _ask(pool: Pool, waiting: deque[Survey], answers: dict[int, Choice | str], should_stop: Callable[[], bool]) -> None:
    """Add what workers answer; a machine that went is no answer while another is there."""
    moves: Counter[int] = Counter()
    told: Any
    for told in pool.run(lambda: waiting.popleft() if waiting else None, should_stop):
        if isinstance(told, Answer):
            answers[told.number] = told.choice
            continue
        assert isinstance(told, Lost)
        number = told.task.number
        moves[number] += 1
        if told.cause == "place" and moves[number] <= MOST_MOVES:
            waiting.append(told.task)
        else:
            answers[number] = told.why


def _components(survey: Survey) -> list[Components]:
    return [assignment.components for assignment in survey.assignments]


def _has_to_measure(survey: Survey) -> bool:
    """Say whether an answer takes the device that trials get."""
    fuse = survey.assignments[0].components.trainer.fuse
    return fuse != "off" and not (fuse == "auto" and len(survey.assignments) == 1)
