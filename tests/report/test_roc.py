"""ROC curves as a picture."""

import pytest
import torch
from PIL import Image

from dlexp.report import roc


@pytest.fixture
def drawn(monkeypatch):
    """The figure, caught on its way to the file."""
    caught = []
    save = roc.save
    monkeypatch.setattr(roc, "save", lambda figure, path: caught.append(figure) or save(figure, path))
    return caught


def test_a_curve_for_each_class_that_can_have_one(tmp_path, drawn):
    targets = torch.tensor([0, 0, 1, 1, 0, 1])
    outputs = torch.tensor([[2.0, 0, 0], [2, 1, 0], [0, 2, 1], [0, 3, 0], [1, 0, 0], [1, 1.5, 0]])
    path = roc.draw(outputs, targets, ["cat", "dog", "none of them"], tmp_path / "roc.png")
    labels = [text.get_text() for text in drawn[0].axes[0].get_legend().get_texts()]
    assert labels == ["cat (1.000)", "dog (1.000)"]
    with Image.open(path) as image:
        assert image.format == "PNG"


def test_two_classes_have_one_curve_through_the_known_points(tmp_path, drawn):
    # positives score 0.9 and 0.3, negatives 0.5 and 0.1: three of four pairs are in order
    probability = torch.tensor([0.9, 0.3, 0.5, 0.1])
    roc.draw(probability.logit().unsqueeze(1), torch.tensor([1, 1, 0, 0]), ["no", "yes"], tmp_path / "roc.png")
    _, curve = drawn[0].axes[0].get_lines()
    assert curve.get_label() == "yes (0.750)"
    assert curve.get_xydata().tolist() == [[0, 0], [0, 0.5], [0.5, 0.5], [0.5, 1], [1, 1]]


def test_many_classes_have_no_names(tmp_path, drawn):
    roc.draw(torch.eye(11), torch.arange(11), [str(k) for k in range(11)], tmp_path / "roc.png")
    assert drawn[0].axes[0].get_legend() is None
    assert len(drawn[0].axes[0].get_lines()) == 12


def test_a_part_with_one_class_has_no_curve_to_name(tmp_path, drawn):
    roc.draw(torch.randn(6, 1), torch.zeros(6, dtype=torch.int64), ["no", "yes"], tmp_path / "roc.png")
    assert drawn[0].axes[0].get_legend() is None
