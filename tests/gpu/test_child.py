"""Children that answer for a process that begins nothing."""

import os

from dlexp.gpu.child import VISIBLE, ask, can_ask, setting


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
    assert ask(lambda: os._exit(11), [None]) == [None]
    assert ask(lambda: 1 / 0, ["0"]) == [None]


def test_the_setting_is_named_where_there_is_one(monkeypatch):
    monkeypatch.setenv(VISIBLE, "0,1")
    assert setting() == "CUDA_VISIBLE_DEVICES=0,1"
    monkeypatch.delenv(VISIBLE)
    assert setting() == ""
