"""Signals as a wish to stop."""

import os
import signal

import pytest

from dlexp.job.interrupt import Interrupt, wish_to_stop


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_is_noted_the_second_ends(signum, code):
    before = signal.getsignal(signum)
    with Interrupt() as interrupt:
        assert not interrupt()
        os.kill(os.getpid(), signum)
        assert interrupt()
        assert interrupt.exit_code == code
        with pytest.raises(SystemExit) as ended:
            os.kill(os.getpid(), signum)
        assert ended.value.code == code
    assert signal.getsignal(signum) is before


def test_while_there_is_nothing_to_save_the_first_signal_ends():
    with Interrupt(can_wait=False) as interrupt:
        with pytest.raises(SystemExit) as ended:
            os.kill(os.getpid(), signal.SIGTERM)
        assert ended.value.code == 143
        interrupt.can_wait = True
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupt()


def test_a_terminal_that_closes_hangs_up_twice():
    with Interrupt() as interrupt:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGHUP)
        assert interrupt()
        assert interrupt.exit_code == 129
        with pytest.raises(SystemExit):
            os.kill(os.getpid(), signal.SIGTERM)


def test_a_terminal_that_closes_may_end_the_reader_of_a_pipe_first():
    with Interrupt() as interrupt:
        assert wish_to_stop(signal.SIGPIPE)
        os.kill(os.getpid(), signal.SIGHUP)
        assert interrupt.exit_code == 129


def test_what_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupt() as interrupt:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not interrupt()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_wish_reaches_what_trains_and_nothing_else():
    assert not wish_to_stop(signal.SIGPIPE)
    with Interrupt(can_wait=False) as interrupt:
        assert not wish_to_stop(signal.SIGPIPE)
        interrupt.can_wait = True
        assert wish_to_stop(signal.SIGPIPE)
        assert interrupt.exit_code == 141
    assert not wish_to_stop(signal.SIGPIPE)
