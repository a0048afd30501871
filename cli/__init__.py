"""The command line: parse, call one job, print. Installed as dlexp.cli."""

if __name__ != "dlexp.cli":
    raise ImportError("this folder installs as dlexp.cli; run `pip install -e .` and use the command `dlexp`")

from .app import main

__all__ = ["main"]
