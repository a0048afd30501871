"""Weights of a .pt2, read without torch.export, equal those that torch itself wrote."""

import json
import zipfile

import pytest
import torch
from torch import nn

from dlexp.weight.archive import LISTED, read_archive


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    path = tmp_path_factory.mktemp("pt2") / "net.pt2"
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2, dtype=torch.float32))
    net[1].running_mean = torch.arange(4.0)
    net.eval()
    torch.export.save(torch.export.export(net, (torch.zeros(2, 3),)), path)
    return path, net.state_dict()


def test_names_shapes_and_bits_are_those_of_the_net(exported):
    path, weights = exported
    read = read_archive(str(path))
    assert read.keys() == weights.keys()
    for name, value in weights.items():
        assert torch.equal(read[name], value), name
        assert read[name].dtype == value.dtype


@pytest.mark.parametrize(
    ("change", "message"),
    [({"use_pickle": True}, "is pickled"), ({"tensor_meta": None}, "no archive of torch.export")],
)
def test_what_would_have_to_be_run_is_refused(exported, change, message, tmp_path):
    with zipfile.ZipFile(exported[0]) as before, zipfile.ZipFile(tmp_path / "other.pt2", "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name.endswith(LISTED):
                listed = json.loads(content)
                listed["config"]["0.weight"] |= change
                content = json.dumps(listed).encode()
            after.writestr(name, content)
    with pytest.raises(ValueError, match=message):
        read_archive(str(tmp_path / "other.pt2"))


def test_a_compressed_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.pt2", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"x/{LISTED}", "{}" + " " * 10_000)
    with pytest.raises(ValueError, match="is compressed"):
        read_archive(str(tmp_path / "bomb.pt2"))
