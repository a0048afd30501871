"""Children that answer for a process that begins nothing."""

import os
import time

import pytest

from dlexp.gpu import child
from dlexp.gpu.child import VISIBLE, Silence, ask, can_ask, setting


def test_each_child_has_its_own_devices_and_this_process_keeps_its_own(monkeypatch, capfd):
    assert can_ask()
    monkeypatch.setenv(VISIBLE, "5")

    def question() -> list:
        os.write(2, b"a library's fault")
        return [os.getpid(), os.environ.get(VISIBLE)]

    answers = ask(question, ["GPU-8e6", None, "1"])
    assert [visible for _, visible in answers] == ["GPU-8e6", None, "1"]
    assert len({os.getpid(), *(pid for pid, _ in answers)}) == 4
    assert os.environ[VISIBLE] == "5"
    assert capfd.readouterr().err == ""


def test_a_child_that_ends_gives_no_answer():
    ended = Silence("a process that looks at it is ended", is_hung=False)
    assert ask(lambda: os._exit(11), [None]) == [ended]
    assert ask(lambda: 1 / 0, ["0"]) == [ended]


@pytest.fixture
def begun(monkeypatch) -> list[int]:
    """The numbers of the children that are begun: this process may have others, of other tests."""
    pids, fork = [], os.fork

    def begin() -> int:
        pids.append(fork())
        return pids[-1]

    monkeypatch.setattr(os, "fork", begin)
    return pids


def test_a_child_that_does_not_come_back_from_its_driver_is_ended_and_the_others_answer(begun):
    started = time.monotonic()

    def question() -> int:
        if os.environ[VISIBLE] == "1":
            time.sleep(60)
        return 7

    answers = ask(question, ["0", "1", "2"], patience=2)
    assert answers == [7, Silence("its driver does not answer within 2 s", is_hung=True), 7]
    assert time.monotonic() - started < 30
    assert len(begun) == 3
    for pid in begun:
        with pytest.raises(ChildProcessError):  # it is gone, and was waited for
            os.waitpid(pid, os.WNOHANG)


def test_a_child_that_answers_and_does_not_leave_is_not_waited_for(monkeypatch, begun):
    with monkeypatch.context() as patched:
        patched.setattr(child, "LAST_BREATH", 0.1)
        patched.setattr(os, "waitpid", lambda *_: (0, 0))
        assert ask(lambda: 7, [None]) == [7]
    os.waitpid(begun[0], 0)


def test_an_answer_may_be_longer_than_a_pipe_is():
    assert ask(lambda: "x" * 300_000, [None]) == ["x" * 300_000]


def test_the_setting_is_named_where_there_is_one(monkeypatch):
    monkeypatch.setenv(VISIBLE, "0,1")
    assert setting() == "CUDA_VISIBLE_DEVICES=0,1"
    monkeypatch.delenv(VISIBLE)
    assert setting() == ""
