from collections.abc import Generator

import pytest
import torch

from dlexp.data.feed import Resident, Streaming, feed
from dlexp.data.synthetic import Fake

IMAGES = Fake(shape=[3, 5, 4], num_train=40, num_val=10).load()
VECTORS = Fake(shape=[6], num_train=40, num_val=10).load()


@pytest.mark.parametrize("kind", [Resident, Streaming])
@pytest.mark.parametrize("dataset", [IMAGES, VECTORS], ids=["images", "vectors"])
def test_batches_equal_indexing(kind, dataset):
    draw = torch.Generator().manual_seed(0)
    shapes = [(7,), (3, 5), (1,), (2, 8), (4,), (6,), (2, 2), (9,)]
    index_list = [torch.randint(0, 50, shape, generator=draw) for shape in shapes]
    batches = list(kind(dataset, "cpu").batches(index_list))
    assert len(batches) == len(index_list)
    for index, (x, y) in zip(index_list, batches, strict=True):
        assert x.equal(dataset.inputs[index])
        assert y.equal(dataset.targets[index])


def test_resident_shares_memory_on_the_same_device():
    held = Resident(IMAGES, "cpu")
    assert held.inputs.data_ptr() == IMAGES.inputs.data_ptr()
    assert held._rows.data_ptr() == IMAGES.inputs.data_ptr()


def test_streaming_may_be_left_early():
    stream = Streaming(IMAGES, "cpu").batches([torch.arange(4)] * 100)
    assert isinstance(stream, Generator)
    next(stream)
    stream.close()


def test_streaming_raises_what_gathering_raised():
    with pytest.raises(IndexError):
        list(Streaming(IMAGES, "cpu").batches([torch.tensor([1000])]))


def test_choice_by_free_memory():
    size = IMAGES.inputs.numel()
    assert isinstance(feed(IMAGES, "cpu", 0), Resident)
    assert isinstance(feed(IMAGES, "meta", 2 * size), Resident)
    assert isinstance(feed(IMAGES, "meta", 2 * size - 1), Streaming)
