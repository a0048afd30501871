"""A .onnx from anybody: weights elsewhere, operators of no standard and damaged bytes are one line."""

from pathlib import Path

import onnx as library
import pytest
from torch import nn

from dlexp.error import ConfigError, RunError
from dlexp.export import onnx
from dlexp.export.graph import Graph
from tests import exported


@pytest.fixture(scope="module")
def written():
    told = exported.about((2,))
    return onnx.write(Graph(exported.saved(nn.Linear(2, 5), told)).eval(), exported.said(told), [2])


def test_names_axes_and_facts_are_those_that_the_card_states(written):
    model = library.load_model_from_string(written)
    library.checker.check_model(model)
    (given,) = model.graph.input
    assert given.name == "features"
    assert given.type.tensor_type.shape.dim[0].dim_param
    assert [output.name for output in model.graph.output] == ["outputs", "probabilities"]
    assert onnx.read(written, Path("n.onnx"))[0]["run"] == "r"
    assert str(Path(__file__).parents[2]).encode() not in written


@pytest.mark.parametrize("place", ["../secret", "/etc/passwd", "weights.bin"])
def test_weights_in_another_file_are_refused(written, place):
    model = library.load_model_from_string(written)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = library.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=place)
    with pytest.raises(RunError, match=rf"n.onnx: got weights in another file, {place}; one that `dlexp export`"):
        onnx.read(model.SerializeToString(), Path("n.onnx"))


def test_weights_elsewhere_are_seen_in_a_subgraph_too(written):
    model = library.load_model_from_string(written)
    inner = library.helper.make_tensor("w", library.TensorProto.FLOAT, [1], [0.0])
    inner.external_data.add(key="location", value="../secret")
    branch = library.helper.make_graph([library.helper.make_node("Constant", [], ["w"], value=inner)], "b", [], [])
    model.graph.node.append(library.helper.make_node("If", ["c"], [], then_branch=branch, else_branch=branch))
    with pytest.raises(RunError, match=r"another file, \.\./secret"):
        onnx.read(model.SerializeToString(), Path("n.onnx"))


def test_operators_of_no_standard_are_refused(written):
    model = library.load_model_from_string(written)
    model.graph.node[0].domain = "com.example"
    with pytest.raises(RunError, match=r"an operator that is not the standard's, com\.example"):
        onnx.read(model.SerializeToString(), Path("n.onnx"))


def test_damaged_and_other_files_are_one_line(written):
    plain = library.load_model_from_string(written)
    del plain.metadata_props[:]
    with pytest.raises(RunError, match="without dlexp's facts"):
        onnx.read(plain.SerializeToString(), Path("n.onnx"))
    broken = library.load_model_from_string(written)
    broken.graph.node[-1].op_type = "NoSuchOperator"
    with pytest.raises(RunError, match="onnxruntime cannot read it"):
        onnx.read(broken.SerializeToString(), Path("n.onnx"))
    for content in (b"", b"\x00" * 64, written[: len(written) // 2], b"not a model"):
        with pytest.raises(RunError) as raised:
            onnx.read(content, Path("n.onnx"))
        assert "\n" not in str(raised.value)


def test_weights_beyond_two_gibibytes_and_absent_packages_are_told_before(monkeypatch):
    monkeypatch.setattr(onnx, "MOST_BYTES", 10)
    told = exported.about((2,))
    with pytest.raises(ConfigError, match=r"--format: got onnx for weights of \d+ bytes; its files have at most 2 GiB"):
        onnx.write(Graph(exported.saved(nn.Linear(2, 5), told)), exported.said(told), [2])
    with pytest.raises(ConfigError, match=r"which needs nosuchpackage; pip install 'dlexp\[export\]'"):
        onnx.require_packages("nosuchpackage")
