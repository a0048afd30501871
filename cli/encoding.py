"""The encoding of names of files and arguments: every one of them has to be a text that files can keep."""

import os
import sys


def leave_ascii() -> None:
    """Begin anew in Python's UTF-8 mode where the locale has ASCII only: a file's name may have any letter.

    Python does so by itself in the locale C unless PYTHONUTF8=0 forbids it. The streams keep their encoding.
    """
    if sys.getfilesystemencoding() != "ascii" or sys.flags.utf8_mode:
        return
    streams = os.environ.get("PYTHONIOENCODING") or "ascii:backslashreplace"
    environment = {**os.environ, "PYTHONUTF8": "1", "PYTHONIOENCODING": streams}
    os.execve(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]], environment)


def require_text(arguments: list[str]) -> None:
    """Refuse bytes that are no text here: neither a configuration nor a document could hold them.

    Raises:
        ConfigError: An argument holds some.
    """
    for argument in arguments:
        if any("\ud800" <= character <= "\udfff" for character in argument):
            from dlexp.error import ConfigError

            raise ConfigError(f"{argument!r}: got bytes that are no UTF-8; rename the file or write another text")
