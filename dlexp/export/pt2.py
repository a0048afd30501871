"""Files of torch.export: the graph with its weights, for any program with torch.

Reading such a file runs what is in it: torch unpickles its constants without restriction. So only bytes are read that
dlexp wrote on this machine, or that the user named; see `dlexp.config.trust`.
"""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.export import ExportedProgram

from dlexp.config import trust
from dlexp.error import RunError, first_line
from dlexp.export import facts
from dlexp.export.graph import Prepared, dynamic_axes, example

NAME = f"{facts.KEY}.json"  # of the facts in the archive


def write(graph: Prepared, about: dict[str, Any], in_shape: list[int]) -> bytes:
    """Return the content of a file.

    Args:
        graph: In evaluation mode.
        about: The facts.
        in_shape: Of one example.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(trace(graph, in_shape), buffer, extra_files={NAME: facts.text_of(about)})
    return buffer.getvalue()


def trace(graph: Prepared, in_shape: list[int]) -> ExportedProgram:
    """Return the graph as torch follows it, without the paths and lines of the program that made it."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.export.export(graph, example(graph, in_shape), dynamic_shapes=dynamic_axes(graph))
    for node in program.graph.nodes:
        for name in ("stack_trace", "nn_module_stack", "source_fn_stack", "from_node"):
            node.meta.pop(name, None)
    return program


def read(content: bytes, digest: str, where: Path) -> tuple[dict[str, Any], Any]:
    """Return the facts of a file, and what computes its answers.

    Args:
        content: Of the file.
        digest: SHA-256 of the content.
        where: The file, for messages.

    Raises:
        RunError: dlexp did not write it on this machine, or it is damaged.
    """
    if not trust.knows_file(digest):
        raise RunError(
            f"{where}: got a file that dlexp did not write on this machine, and reading a .pt2 runs what is in it; "
            f"have it as .onnx or .safetensors, or, if you know whose it is, give --trust {where}"
        )
    held = {NAME: ""}
    try:
        with warnings.catch_warnings(), _without_log():
            warnings.simplefilter("ignore")
            program = torch.export.load(io.BytesIO(content), extra_files=held)
            module = program.module()
    except Exception as error:  # what a foreign archive may raise, torch does not say
        raise RunError(f"{where}: no file of torch.export ({first_line(error)}); export the run anew") from error
    return facts.read(held[NAME] or None, where), module


@contextmanager
def _without_log() -> Iterator[None]:
    """Have torch not log what its reader stumbles on, with a traceback, before it raises that."""
    log = logging.getLogger("torch.export")
    was_disabled, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = was_disabled
