"""A worker that says where it is."""

import socket

from dlexp.launcher.hello import ask
from dlexp.launcher.local import Local


def test_a_worker_of_this_machine_is_here(tmp_path):
    assert ask(Local(workers=1), tmp_path) == socket.gethostname()
