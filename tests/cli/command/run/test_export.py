"""`dlexp export`, and `dlexp predict` of what it wrote, as users run them."""

import json

import numpy as np
import pytest


@pytest.fixture
def flowers(tmp_path):
    path = tmp_path / "flowers.npy"
    np.save(path, np.array([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]], np.float32))
    return str(path)


def test_a_run_is_exported_once_and_its_file_predicts(dlexp, flowers, tmp_path):
    path = tmp_path / "net.safetensors"
    code, out, err = dlexp("export", "last", "--out", str(path), "--json")
    assert code == 0, err
    document = json.loads(out)
    assert "checked largest difference 0 of 0.0001 allowed, on validation examples in batches of 1, 7 and 64" in err
    assert (document["path"], document["bytes"]) == (str(path), path.stat().st_size)
    assert (tmp_path / "card.md").is_file()
    code, out, err = dlexp("export", "last", "--out", str(path))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert dlexp("export", "last", "--out", str(path), "--force", "--quiet")[:2] == (0, "")
    told = [json.loads(dlexp("predict", ref, flowers, "--json")[1]) for ref in ("last", str(path))]
    assert told[0]["predictions"] == told[1]["predictions"]
    assert (told[1]["run_id"], told[1]["file"]) == (told[0]["run_id"], str(path))


def test_a_strange_pt2_needs_the_user_s_word(dlexp, flowers, tmp_path):
    path = tmp_path / "net.pt2"
    path.write_bytes(b"PK\x03\x04 a stranger's")
    code, out, err = dlexp("predict", str(path), flowers)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"give --trust {path}" in err
    code, out, err = dlexp("predict", str(path), flowers, "--trust", str(path))
    assert (code, out) == (2, "")
    assert "no file of torch.export" in err
    code, _, err = dlexp("predict", str(tmp_path / "a.onnx"), flowers, "--trust", str(tmp_path / "a.onnx"))
    assert code == 2
    assert "a package, or the .pt2 that predicts, is needed" in err
    code, _, err = dlexp("predict", str(tmp_path / "no.pt2"), flowers, "--trust", str(tmp_path / "no.pt2"))
    assert (code, err.count("\n")) == (2, 1)


def test_what_cannot_be_exported_is_one_line(dlexp, tmp_path):
    for words in (["nothing"], ["last", "--out", "net.bin"], ["last", "--out", "a.onnx", "--format", "pt2"]):
        code, out, err = dlexp("export", *words)
        assert (code, out, err.count("\n")) == (2, "", 1)
