"""Errors that a user can act on: one line that names the key, the value and the cure."""

import difflib
import errno
import os
import re
from collections.abc import Iterable
from typing import NotRequired

from typing_extensions import TypedDict

from dlexp.number import noun, plural


class ErrorLine(TypedDict):
    """What went wrong; what the message does not say is absent.

    Attributes:
        kind: Of the error.
        message: One line.
        key: The setting, option, file or run at fault.
        got: What it was given.
        allowed: What it takes, in words.
        suggestion: What was probably meant.
    """

    kind: str
    message: str
    key: NotRequired[str]
    got: NotRequired[str]
    allowed: NotRequired[str]
    suggestion: NotRequired[str]


class ErrorDocument(TypedDict):
    """What ``--json`` prints where a command failed."""

    error: ErrorLine


class DlexpError(Exception):
    """An error whose message is meant for the user, shown as one line without a traceback.

    Attributes:
        kind: The word before "error" in the printed line and the kind in JSON.
        exit_code: What the process returns.
    """

    kind = "run"
    exit_code = 1


class ConfigError(DlexpError):
    """The configuration cannot work; the user can mend it before anything runs."""

    kind = "config"
    exit_code = 2


class DataError(DlexpError):
    """The data are absent or unusable."""

    kind = "data"
    exit_code = 2


class RunError(DlexpError):
    """A run folder that was asked for is unknown, damaged or in use."""

    kind = "run"
    exit_code = 2


class ExportFault(DlexpError):
    """A model cannot be exported, or the exported file does not give what the model gives."""

    kind = "export"
    exit_code = 1


class EnvironmentFault(DlexpError):
    """The machine refused: a full disk, a used port, a missing device."""

    kind = "environment"
    exit_code = 1


class PeerLost(EnvironmentFault):
    """Another process of a training over many devices is gone: it, or what started it, has said why."""


class EmptyGraph(EnvironmentFault, RuntimeError):
    """The capture of an update got nothing: what it should hold has run elsewhere, and its replays would do nothing."""


class DiskFault(EnvironmentFault, OSError):
    """A disk or folder refused what was to be written."""


_GOT = re.compile(r"(?P<key>.+?): got (?P<got>'(?:[^'\\]|\\.)*'|.+?)(?:; (?P<allowed>.+))?")
_UNKNOWN = re.compile(r"unknown key (?P<key>[^\s:;]+).*")
_MEANT = re.compile(r"(?P<rest>.*); did you mean (?P<suggestion>[^?]+)\?.*")


def error_line(kind: str, message: str) -> ErrorLine:
    """Return an error with the parts of its message: ``<key>: got <got>; <allowed>; did you mean <suggestion>?``.

    Args:
        kind: Of the error.
        message: One line.
    """
    line: ErrorLine = {"kind": kind, "message": message}
    meant = _MEANT.fullmatch(message)
    form = meant["rest"] if meant else message
    if unknown := _UNKNOWN.fullmatch(form):
        line["key"] = unknown["key"]
    elif told := _GOT.fullmatch(form):
        line["key"], line["got"] = told["key"], told["got"]
        if told["allowed"]:
            line["allowed"] = told["allowed"]
    if meant:
        line["suggestion"] = meant["suggestion"]
    return line


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean X?" for the nearest known word, or "" when none is near."""
    words = list(known)
    near = [other for other in words if other.lower() == word.lower()] or difflib.get_close_matches(word, words, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def shorten(text: str, length: int = 60) -> str:
    """Return text of foreign origin for a message: its beginning where it is longer than `length` characters."""
    return text if len(text) <= length else f"{text[:length]}..."


def first_ten(noun: str, items: list) -> str:
    """Return "row 3", or "rows 3, 4, ... and 12 more" with the first ten of many named."""
    shown = ", ".join(str(item) for item in items[:10])
    more = f" and {len(items) - 10} more" if len(items) > 10 else ""
    return f"{noun if len(items) == 1 else plural(noun)} {shown}{more}"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, "no message" for an empty one.

    Torch's "out of memory" is a line of 600 characters; what was asked for is at its beginning.
    """
    lines = str(error).strip().splitlines() or ["no message"]
    return lines[0].partition(" GPU ")[0] if is_out_of_memory(error) else lines[0]


def name_fault_of_path(error: BaseException) -> str | None:
    """Return what is wrong with a path that no system opens or makes, wherever it was typed; None for another error."""
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        path = os.fsdecode(error.filename or "")
        length = noun(len(path), "character")
        return f"{shorten(path)}: got a path of {length}; the system opens none of that length, shorten it"
    if isinstance(error, FileExistsError | NotADirectoryError) and error.filename:
        return f"{shorten(os.fsdecode(error.filename))}: got a file where a folder is needed; name another place"
    if isinstance(error, ValueError) and str(error).startswith("embedded null"):
        return "got a path with a NUL character; the system opens none, leave it out"
    return None


COMPILERS = ("torch._inductor", "torch._dynamo")  # packages of torch.compile, whose errors are theirs alone


def name_fault_of_device(error: BaseException) -> str | None:
    """Return what a device could not do, and the cure, in one line; None for any other error."""
    if is_out_of_memory(error):
        return "out of memory; choose a smaller trainer.batch_size or trainer.eval_batch_size"
    operator, is_refused, _ = str(error).partition(" does not have a deterministic implementation")
    if is_refused:
        return f"trainer.deterministic: got true; {operator} has no such form here; choose another layer, or false"
    if is_broken_device(error):
        return f"the device failed ({first_line(error)}); begin again, on another by trainer.device if it fails again"
    if any(kind.__module__.startswith(COMPILERS) for kind in type(error).__mro__):
        return f"trainer.compile: got true; torch cannot compile it here ({first_line(error)}); false trains without"
    return None


# torch.OutOfMemoryError is what its allocator says; libraries that allocate by themselves say it in their own words.
OUT_OF_MEMORY = (
    "can't allocate memory",
    "CUDA error: out of memory",
    "CUDA out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "ALLOCATION_FAILED",  # CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED and its like
    "CUSOLVER_STATUS_ALLOC_FAILED",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that memory, the device's or the machine's, did not suffice."""
    is_named = any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__)  # torch's, without importing it
    return is_named or isinstance(error, MemoryError) or any(words in str(error) for words in OUT_OF_MEMORY)


def is_broken_device(error: BaseException) -> bool:
    """Say whether an error means that the accelerator has failed: this process can use it no more."""
    if is_out_of_memory(error) or not isinstance(error, RuntimeError):
        return False
    is_named = any(kind.__name__ == "AcceleratorError" for kind in type(error).__mro__)
    return is_named or str(error).startswith(("CUDA error:", "cuDNN error:", "CUDA driver error:"))
