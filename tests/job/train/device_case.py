"""What is trained over two devices and by one."""

from itertools import cycle, product
from pathlib import Path

from dlexp.config.catalog import list_groups, read_option

PAIRS = ["task=pairs", "pairs.train=62", "pairs.held_out=40", "dropout=inverted", "trainer.batch_size=9"]
CASES = {
    "adam, dropout, clip, average": [
        "norm=none",
        "dropout=inverted",
        "optimizer=adam",
        "trainer.grad_clip=0.5",
        "trainer.ema=0.9",
        "trainer.batch_size=31",
    ],
    "images, augmented, synced, accumulated": [
        "model=cnn",
        "model.widths=[4,4]",
        "norm=batch",
        "norm.sync=true",
        "norm.statistics=moving",
        "augment=flip_crop",
        "optimizer=nesterov",
        "trainer.accumulate=2",
        "trainer.batch_size=33",
        "dropout=classic",
    ],
    "weighted classes, exact statistics": [
        "loss=cross_entropy",
        "loss.class_weight=balanced",
        "norm.sync=true",
        "norm.statistics=exact",
        "norm.variance=biased",
        "schedule=plateau",
        "optimizer=rmsprop",
        "trainer.accumulate=3",
        "trainer.batch_size=10",
    ],
    "values": ["data=diabetes", "norm=layer", "regularizer=l1", "optimizer=adagrad", "trainer.batch_size=7"],
    "pairs": [*PAIRS, "norm.sync=true", "augment=noise", "optimizer=adam", "loss=contrastive"],
    "reconstructions": ["task=reconstruct", "norm=none", "optimizer=adam", "trainer.batch_size=31"],
    "targets with gaps": [
        "data=csv",
        "data.path=GAPS",
        "data.target=[kind,size]",
        "norm=none",
        "trainer.accumulate=2",
        "trainer.batch_size=13",
    ],
    "mixed": ["augment=mixup", "norm=none", "regularizer=max_norm", "optimizer=momentum", "trainer.batch_size=31"],
}
# the state of the rule divided; an elementwise penalty, one of rows, a constraint, gradients of several batches
CASES |= {
    "sharded, decayed, clipped, averaged": [
        "trainer.shard=true",
        "norm=none",
        "optimizer=adamw",
        "optimizer.weight_decay=0.1",
        "regularizer=l2",
        "regularizer.weight=0.01",
        "trainer.grad_clip=0.5",
        "trainer.ema=0.9",
        "trainer.batch_size=31",
    ],
    "sharded, penalty of rows": ["trainer.shard=true", "norm=layer", "optimizer=nesterov", "regularizer=linf"],
    "sharded, constrained, accumulated": [
        "trainer.shard=true",
        "norm=none",
        "optimizer=rmsprop",
        "regularizer=norm_ball",
        "trainer.accumulate=2",
        "trainer.batch_size=17",
    ],
}
# batch norm by device: of the last batch, of three examples, the second process has none
APART = ["norm=batch", "trainer.batch_size=29", "data.limit=61", "norm.statistics=moving"]
BY_DEVICE = {
    "apart": APART,
    "apart, exact": [*APART, "norm.statistics=exact"],
    "pairs, apart": [*PAIRS, "trainer.accumulate=2"],
    "half precision": [*APART, "trainer.precision=bf16"],
    "half precision, scaled": [*APART, "trainer.precision=fp16", "trainer.grad_clip=1.0"],
    "half precision, sharded": [*APART, "trainer.precision=fp16", "optimizer=adam", "trainer.shard=true"],
}


def wide() -> list[list[str]]:
    """Return every rule with every kind of dropout, and the other settings taken in turns of lengths that differ.

    Of a pixel that is always blank the gradient is nought, but for rounding, which rules divide by itself and `eps`: an
    `eps` of 1e-10, adagrad's, makes 1e-8 of 1e-18 in weights that change no output. So it is 1e-6 here.
    """
    turns = (
        cycle(["trainer.grad_clip=null", "trainer.grad_clip=0.3"]),
        cycle(["trainer.ema=null", "trainer.ema=null", "trainer.ema=0.95"]),
        cycle([f"trainer.accumulate={num}" for num in (1, 2, 1, 3, 1)]),
        cycle([f"trainer.batch_size={num}" for num in (32, 31, 8, 50, 17, 10, 33)]),
        cycle([["model=mlp"], ["model=cnn", "model.widths=[4,6]"]]),
        cycle([["norm=batch", "norm.sync=true"], ["norm=layer"], ["norm=none"]]),
        cycle(["augment=none", "augment=flip_crop", "augment=cutmix", "augment=noise", "augment=mixup"]),
    )
    rules = product(list_groups()["optimizer"], ("none", "inverted", "classic"))
    return [
        [*rule_with_eps(rule), f"dropout={dropout}", clip, ema, accumulate, size, *model, *norm, augment]
        for (rule, dropout), clip, ema, accumulate, size, model, norm, augment in zip(rules, *turns, strict=False)
    ]


def rule_with_eps(rule: str) -> list[str]:
    return [f"optimizer={rule}", *(["optimizer.eps=1e-6"] if "eps" in read_option("optimizer", rule) else [])]


WIDE = wide()


def beside(folder: Path, case: list[str]) -> list[str]:
    """Return overrides with the place of the table in which every other row lacks a target."""
    return [word.replace("GAPS", str(folder / "gaps.csv")) for word in case]
