"""A .pt2 is read only if dlexp wrote it here, or the user named it: reading one runs what is in it."""

import io
import logging
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from dlexp.error import RunError
from dlexp.export import pt2
from dlexp.export.file import parse
from dlexp.export.graph import Graph
from tests import exported


@pytest.fixture(scope="module")
def written():
    told = exported.about((2,))
    return pt2.write(Graph(exported.saved(nn.Linear(2, 5), told)).eval(), exported.said(told), [2])


def test_strange_bytes_are_not_even_opened(written, monkeypatch):
    monkeypatch.setattr(torch.export, "load", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(
        RunError, match=r"net.pt2: got a file that dlexp did not write on this machine.*--trust net.pt2"
    ):
        parse(written, Path("net.pt2"))


def test_one_changed_byte_makes_a_file_a_stranger_s(written):
    pt2.trust.accept_file(exported.sha256(written).hexdigest(), Path("net.pt2"))
    assert parse(written, Path("net.pt2"))[0] == "r"
    with pytest.raises(RunError, match="did not write"):
        parse(written[:-1] + bytes([written[-1] ^ 1]), Path("net.pt2"))


def test_a_trusted_file_that_is_none_is_one_line(monkeypatch):
    log = logging.getLogger("torch.export")
    said: list[logging.LogRecord] = []
    monkeypatch.setattr(log, "handlers", [*log.handlers, handler := logging.Handler()])
    monkeypatch.setattr(handler, "emit", said.append)
    for content in (b"", b"PK\x03\x04", b"x" * 1000):
        pt2.trust.accept_file(exported.sha256(content).hexdigest(), Path("net.pt2"))
        with pytest.raises(RunError, match=r"net.pt2: no file of torch.export"):
            parse(content, Path("net.pt2"))
    assert said == []  # torch would log a traceback
    assert not log.disabled


def test_no_path_of_the_program_stands_in_the_file(written):
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        texts = [archive.read(name) for name in archive.namelist()]
    assert not any(str(Path(__file__).parents[2]).encode() in text or b"stack_trace" in text for text in texts)
