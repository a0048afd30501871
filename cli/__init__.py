"""The command line: parse, call one job, print. Installed as dlexp.cli."""

import signal
from types import FrameType

if __name__ != "dlexp.cli":
    raise ImportError("this folder installs as dlexp.cli; run `pip install -e .` and use the command `dlexp`")


def _leave(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)


# Ctrl-C while the modules below are imported ends the process without a traceback; `main` puts the usual handler back.
signal.signal(signal.SIGINT, _leave)

from .app import main  # noqa: E402  # after the handler, on purpose

__all__ = ["main"]
