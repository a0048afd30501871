import importlib.util
import sys
from functools import partial
from pathlib import Path

import pytest

from dlexp.activation import ReLU
from dlexp.dropout import NoDropout
from dlexp.norm import BatchNorm

ROOT = Path(__file__).parents[2]


@pytest.fixture
def blocks():
    """The building blocks that a model is given, as the program gives them."""
    return {"norm": partial(BatchNorm), "activation": partial(ReLU), "dropout": partial(NoDropout)}


@pytest.fixture(scope="session")
def parity():
    """benchmarks/parity.py, which is no installed module."""
    spec = importlib.util.spec_from_file_location("parity", ROOT / "benchmarks" / "parity.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["parity"] = module  # its dataclasses look their module up by name
    spec.loader.exec_module(module)
    yield module
    del sys.modules["parity"]


@pytest.fixture
def count():
    """Number of parameters of a model built without memory."""
    import torch

    def of(build, **options):
        with torch.device("meta"):
            return sum(parameter.numel() for parameter in build(**options).parameters())

    return of
