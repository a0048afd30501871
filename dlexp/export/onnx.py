"""Files of ONNX, for any program with an ONNX runtime: onnxruntime reads them here, which runs no code of theirs.

Weights stand in the file itself. A file that has them elsewhere is not read: it could name any file of this machine.
"""

import importlib.util
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlexp.error import ConfigError, RunError, first_line
from dlexp.export import facts
from dlexp.export.graph import Prepared
from dlexp.export.pt2 import trace

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
MOST_BYTES = 2**31 - 1  # that a protocol buffer has
_DOMAINS = ("", "ai.onnx")  # the standard's operators, and none of a runtime's own


def require_packages(*names: str) -> None:
    """Check that the packages are installed.

    Raises:
        ConfigError: One is not.
    """
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise ConfigError(f"--format: got onnx, which needs {name}; pip install 'dlexp[export]'")


def write(graph: Prepared, about: dict[str, Any], in_shape: list[int]) -> bytes:
    """Return the content of a file.

    Args:
        graph: In evaluation mode.
        about: The facts.
        in_shape: Of one example.

    Raises:
        ConfigError: The weights take more than a file has.
    """
    num_bytes = sum(tensor.numel() * tensor.element_size() for tensor in graph.state_dict().values())
    if num_bytes >= MOST_BYTES:
        raise ConfigError(
            f"--format: got onnx for weights of {num_bytes:,} bytes; its files have at most 2 GiB: safetensors"
        )
    with _silence():
        program = torch.onnx.export(
            trace(graph, in_shape),
            dynamo=True,
            input_names=list(graph.input_names),
            output_names=list(graph.output_names),
            verbose=False,
        )
    assert program is not None
    nodes = [program.model.graph, *program.model.graph]
    for node in nodes:
        node.metadata_props.clear()  # names of the layers and, unless they are gone, lines of the program
    program.model.metadata_props[facts.KEY] = facts.text_of(about)
    return program.model_proto.SerializeToString()


@contextmanager
def _silence() -> Iterator[None]:
    """Keep an exporter's words to itself."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def read(content: bytes, where: Path) -> tuple[dict[str, Any], Any]:
    """Return the facts of a file, and what computes its answers.

    Args:
        content: Of the file.
        where: The file, for messages.

    Raises:
        RunError: It is damaged, has weights elsewhere, or uses operators of no standard.
    """
    require_packages("onnx", "onnxruntime")
    import onnx
    import onnxruntime

    try:
        model = onnx.ModelProto.FromString(content)
    except Exception as error:  # of google.protobuf, whichever implementation is installed
        raise RunError(f"{where}: no file of ONNX; export the run anew") from error
    if fault := _fault(model):
        raise RunError(f"{where}: got {fault}; one that `dlexp export` wrote is needed")
    held = next((pair.value for pair in model.metadata_props if pair.key == facts.KEY), None)
    about = facts.read(held, where)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is raised as well
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        session: Any = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        names = [given.name for given in session.get_inputs()]
    except Exception as error:
        raise RunError(f"{where}: onnxruntime cannot read it ({first_line(error)}); export the run anew") from error
    first = session.get_outputs()[0].name

    def answer(*inputs: Tensor) -> tuple[Tensor, ...]:
        given = {name: x.numpy() for name, x in zip(names, inputs, strict=True)}
        return (torch.from_numpy(np.asarray(session.run([first], given)[0])),)

    return about, answer


def _fault(model: Any) -> str:
    """Return what of a file is not read; "" for nothing."""
    for message in _messages(model):
        kind = message.DESCRIPTOR.name
        if kind == "TensorProto" and (message.external_data or message.data_location == message.EXTERNAL):
            places = [entry.value for entry in message.external_data if entry.key == "location"]
            return f"weights in another file, {places[0] if places else 'unnamed'}"
        if kind == "NodeProto" and message.domain not in _DOMAINS:
            return f"an operator that is not the standard's, {message.domain}.{message.op_type}"
    return ""


def _messages(message: Any) -> Iterator[Any]:
    """Yield a message and all inside of it; a stack of their own, for they may be nested without end."""
    pending = [message]
    while pending:
        message = pending.pop()
        yield message
        for field, value in message.ListFields():
            if field.message_type is not None:
                pending += [value] if hasattr(value, "DESCRIPTOR") else list(value)
