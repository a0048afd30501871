"""Counts and outputs against torchvision; the name maps are in benchmarks/parity.py."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import torch

from benchmarks.measure import replace_between

NETS = [
    *[f"vgg{depth}{suffix}" for depth in (11, 13, 16, 19) for suffix in ("", "_bn")],
    *[f"resnet{depth}" for depth in (18, 34, 50, 101, 152)],
    "resnext50_32x4d",
    "resnext101_32x8d",
    *[f"densenet{depth}" for depth in (121, 169, 201)],
    "googlenet",
]
SMALLEST = ["vgg11_bn", "resnet18", "resnext50_32x4d", "densenet121", "googlenet"]


@pytest.fixture
def pair(parity):
    pairs = {pair.reference: pair for pair in parity.all_pairs()}
    assert sorted(pairs) == sorted(NETS)
    return pairs.__getitem__


@pytest.fixture(scope="module")
def counts(parity):
    """Counts of ours and of torchvision's by the net's name, each net built once."""
    return cache(lambda name: next(pair for pair in parity.all_pairs() if pair.reference == name).counts())


@pytest.fixture(scope="module")
def paper_count(parity):
    return cache(parity.paper_count)


@pytest.mark.parametrize("name", NETS)
def test_parameter_count_equals_torchvisions(name, counts):
    ours, theirs = counts(name)
    assert ours == theirs


@pytest.mark.parametrize("name", SMALLEST)
def test_outputs_equal_torchvisions_under_copied_weights(name, pair):
    assert pair(name).output_difference(side=64 if name != "vgg11_bn" else 32) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(NETS) - set(SMALLEST)))
def test_outputs_of_the_larger_nets_equal_torchvisions(name, pair):
    assert pair(name).output_difference(side=64) < 1e-5


def test_a_swapped_weight_is_noticed(pair):
    ours, reference = pair("resnet18").copies((3, 64, 64))
    weights = ours.state_dict()
    first, second = "stages.1.1.convs.0.weight", "stages.1.1.convs.1.weight"
    ours.load_state_dict({**weights, first: weights[second], second: weights[first]}, assign=True)
    images = torch.ones(1, 3, 64, 64)
    with torch.no_grad():
        assert (ours.eval()(images) - reference.eval()(images)).abs().max() > 1e-3


def test_auxiliary_heads_of_googlenet_equal_torchvisions_in_training(pair):
    ours, reference = pair("googlenet").copies((3, 96, 96))
    images = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        mine, theirs = ours.train()(images), reference.train()(images)
    for our, their in zip(mine, (theirs.logits, theirs.aux_logits1, theirs.aux_logits2), strict=True):
        torch.testing.assert_close(our, their, rtol=0, atol=1e-5)


def test_counts_equal_the_papers_tables_to_the_printed_digits(parity, paper_count):
    for name, (_, printed) in parity.PAPER.items():
        digits = len(printed.partition(".")[2])
        assert f"{paper_count(name) / 1e6:.{digits}f}" == printed, name


def test_the_page_states_the_counts_and_that_outputs_agree(parity, counts, paper_count):
    text = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text()
    section = text.partition("<!-- parity:begin -->")[2].partition("<!-- parity:end -->")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ") and "torchvision" not in line]
    rows = {cells[0]: cells[1:] for cells in ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines)}
    del rows["net on CIFAR-10"]
    assert set(rows) == {*NETS, *parity.PAPER}
    for name in NETS:
        ours, theirs = counts(name)
        assert rows[name][:3] == [f"{ours:,}", f"{theirs:,}", f"{ours - theirs:,}"], name
        assert float(rows[name][3]) < 1e-5, name
    for name, (_, printed) in parity.PAPER.items():
        assert rows[name][:2] == [f"{paper_count(name):,}", printed], name


def test_the_table_goes_between_the_marks():
    text = "before\n<!-- parity:begin -->\nold\n<!-- parity:end -->\nafter\n"
    assert replace_between(text, "parity", "new") == (
        "before\n<!-- parity:begin -->\nnew\n<!-- parity:end -->\nafter\n"
    )
    with pytest.raises(ValueError, match="marks"):
        replace_between("no marks", "parity", "new")


@pytest.mark.slow
def test_the_benchmark_writes_its_table(tmp_path):
    page = tmp_path / "benchmarks.md"
    page.write_text("# Title\n<!-- parity:begin -->\n<!-- parity:end -->\nend\n")
    command = [sys.executable, "-m", "benchmarks.parity", "--write", str(page)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2], capture_output=True)
    text = page.read_text()
    rows = [line for line in text.splitlines() if line.startswith(("| vgg", "| res", "| dense", "| goog"))]
    assert len(rows) == len(NETS)
    assert all(row.split("|")[4].strip() == "0" for row in rows)
    assert text.endswith("<!-- parity:end -->\nend\n")
