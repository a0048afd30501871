"""Signals as a wish to stop."""

import os
import signal

import pytest

from dlexp.job.interrupt import Interrupt


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
