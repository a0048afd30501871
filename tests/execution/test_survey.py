"""Engines are chosen where trials train, all structures at once; what takes no device is answered here."""

from typing import Any

from dlexp.build.components import Components
from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.execution.assignment import Answer, Assignment, Survey, rest
from dlexp.execution.executor import Executor
from dlexp.execution.fusion import SOLO, Choice
from dlexp.execution.survey import choose_all
from dlexp.launcher.pool import Cause, Lost

BATCHED = Choice("batched", 2, 3.0, "fast")
COMMON = ["tracking=none", "trainer.threads=1", "data.limit=50"]


class Pool:
    """Loses each of its first tasks with a place, then answers."""

    def __init__(self, num_lost: int, cause: Cause = "place"):
        self.num_lost = num_lost
        self.cause: Cause = cause
        self.numbers: list[int] = []

    def run(self, take, _should_stop):
        while (survey := take()) is not None:
            self.numbers.append(survey.number)
            if len(self.numbers) <= self.num_lost:
                yield Lost(survey, "its node went", self.cause)
            else:
                yield Answer(survey.number, BATCHED)


def surveys(tmp_path, *texts, num=2):
    made = []
    for number, text in enumerate(texts):
        config = resolve([*COMMON, text]).config
        alike = [Assignment(config, tmp_path, "trial", built=Components(config, load_data(config)))] * num
        made.append(Survey(alike, 1, tmp_path / "fuse.json", tmp_path / "engines.json", number))
    return made


def choose(asked_of: list[Survey], pool: Any) -> dict[int, Choice | str]:
    return choose_all(asked_of, Executor(), pool, lambda: False)


def test_all_structures_are_asked_of_at_once_and_a_place_that_goes_is_no_answer(tmp_path):
    pool = Pool(num_lost=1)
    answers = choose(surveys(tmp_path, "trainer.fuse=auto", "model=softmax", "trainer.fuse=4"), pool)
    assert answers == {0: BATCHED, 1: BATCHED, 2: BATCHED}
    assert pool.numbers == [0, 1, 2, 0]


def test_what_takes_no_device_is_asked_of_nobody(tmp_path):
    pool = Pool(num_lost=0)
    assert choose(surveys(tmp_path, "trainer.fuse=off"), pool) == {0: Choice("solo", 1, 1.0, "trainer.fuse=off")}
    assert choose(surveys(tmp_path, "trainer.fuse=auto", num=1), pool) == {0: SOLO}
    assert pool.numbers == []


def test_a_survey_that_kills_its_worker_or_four_places_is_given_up_with_the_reason(tmp_path):
    assert choose(surveys(tmp_path, "trainer.fuse=auto"), Pool(1, "crash")) == {0: "its node went"}
    gone = Pool(9)
    assert choose(surveys(tmp_path, "trainer.fuse=auto"), gone) == {0: "its node went"}
    assert len(gone.numbers) == 4


def test_of_a_survey_nothing_is_left_after_its_answer(tmp_path):
    (survey,) = surveys(tmp_path, "trainer.fuse=auto")
    assert rest(survey, []) is survey
    assert rest(survey, [Answer(0, SOLO)]) is None
