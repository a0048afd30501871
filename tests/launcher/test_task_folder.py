"""What driver and jobs say to each other survives kills: half a line is no event, and nothing is told twice."""

import pytest

from dlexp.launcher.task_folder import Mark, Progress, TaskFolder, begin_batch, open_tasks


@pytest.fixture
def folder(tmp_path):
    return TaskFolder.create(begin_batch(tmp_path), 0, ("square", 2))


def test_events_are_read_on_from_where_one_was(folder):
    assert folder.read() == ([], 0)
    folder.add(Mark("begun", "here"))
    events, offset = folder.read()
    assert events == [Mark("begun", "here")]
    folder.add(("square", 4))
    assert folder.read(offset)[0] == [("square", 4)]


def test_a_line_that_a_kill_cut_short_is_no_event_and_spoils_no_other(folder):
    folder.add(1)
    with open(folder.path / "events", "ab") as file:
        file.write(b'\n{"!":"tup')
    events, offset = folder.read()
    assert events == [1]
    folder.add(2)
    assert folder.read(offset)[0] == [2]
    assert folder.read()[0] == [1, 2]


def test_tasks_are_open_until_somebody_collects_them(tmp_path):
    for batch in (begin_batch(tmp_path), begin_batch(tmp_path)):
        for index in range(11):
            TaskFolder.create(batch, index, index)
    assert [folder.task for folder in open_tasks(tmp_path)] == [*range(11), *range(11)]
    open_tasks(tmp_path)[0].collect()
    assert [folder.task for folder in open_tasks(tmp_path)] == [*range(1, 11), *range(11)]


def test_the_last_words_are_those_of_the_job(folder):
    assert folder.last_words() == ""
    folder.log.write_text("Traceback\n\nValueError: no\n\nslurmstepd: error: *** JOB 1 CANCELLED ***\n")
    assert folder.last_words() == "ValueError: no"


def test_progress_counts_the_last_array(tmp_path):
    TaskFolder.create(begin_batch(tmp_path), 0, None).add(Mark("seen"))
    batch = begin_batch(tmp_path)
    for index, kinds in enumerate([["begun", "done"], ["begun"], ["begun", "again"], []]):
        made = TaskFolder.create(batch, index, index)
        for kind in kinds:
            made.add(Mark(kind))
    assert Progress.of(tmp_path) == Progress(num_waiting=2, num_running=1, num_ended=1)
    assert Progress.of(tmp_path / "nowhere") == Progress(0, 0, 0)
