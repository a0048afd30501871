"""Our files of tensors are the library's, to the byte."""

import io

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from dlexp.disk.safetensors import TYPES, write

TENSORS = st.tuples(st.sampled_from(list(TYPES)), st.lists(st.integers(0, 3), max_size=3))


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), max_size=5), TENSORS, max_size=8))
def test_files_are_those_of_the_library(described):
    tensors = {
        name: torch.arange(max(1, torch.Size(shape).numel()), dtype=torch.float32)[: torch.Size(shape).numel()]
        .reshape(shape)
        .to(dtype)
        for name, (dtype, shape) in described.items()
        if name != "__metadata__"
    }
    file = io.BytesIO()
    write(file, tensors)
    assert file.getvalue() == save(tensors)
