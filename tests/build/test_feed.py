"""One feed for the programs of a process: made again only for other data, another normalisation or another place."""

from dataclasses import replace

import torch

from dlexp.build.dataset import load_data
from dlexp.build.feed import feed_of, normalized
from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.normalize import Affine
from tests.pretended.device import pretend

CPU = torch.device("cpu")


def test_a_feed_is_made_once_for_the_same_examples_and_again_for_others():
    data = load_data(resolve(["data=spirals", "tracking=none"]).config)
    width = data.inputs.shape[1]
    affine = Affine(torch.full((width,), 2.0).double(), torch.ones(width).double())
    first = feed_of(data, affine, torch.float32, CPU)
    assert feed_of(data.with_parts(data.val, data.train), affine, torch.float32, CPU) is first  # folds share examples
    assert feed_of(data, Affine(affine.scale.clone(), affine.shift.clone()), torch.float32, CPU) is first
    others = [
        (data, Affine(affine.scale, affine.shift + 1), torch.float32),
        (data, affine, torch.float64),
        (data, None, torch.float32),
        (replace(data, inputs=data.inputs.clone()), None, torch.float32),
    ]
    for other, normalisation, dtype in others:
        made = feed_of(other, normalisation, dtype, CPU)
        assert made is not first
        first = made


def test_programs_of_a_process_send_the_examples_to_a_card_once():
    configs = [
        resolve(["tracking=none", "trainer.device=cuda", "model.widths=[8]", *overrides]).config
        for overrides in ([], ["optimizer=adam", "seed=1"], ["loss=hinge", "trainer.batch_size=8"])
    ]
    data, sent = load_data(configs[0]), []
    with pretend() as log:
        for config in configs:
            run = assemble(config, data).run
            run.one_update()()
            run.evaluate()
            sent.append(log.sent)
            log.clear()
    size = 4 * data.inputs.numel()
    assert sent[0] >= size
    assert max(sent[1:]) < 0.1 * size, sent


def test_rows_of_a_table_are_normalised_in_pieces_as_they_are_at_once():
    rows = torch.rand(3 * (1 << 16) // 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    affine = Affine(torch.tensor([1.0, 2.0, 3.0]).double(), torch.tensor([0.5, 0.0, -1.0]).double())
    assert torch.equal(normalized(affine, rows, torch.float32), affine.apply(rows, dtype=torch.float32))
