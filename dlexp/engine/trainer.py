"""The settings of the training loop, of which `conf/trainer/default.yaml` states the defaults."""

from dataclasses import dataclass
from typing import Literal

from dlexp.type import Count, NonNegative, PerTrial, Positive, Probability, Threads


@dataclass(frozen=True)
class Trainer:
    """Length, batch, device, precision and stopping of a training run.

    Args:
        epochs: Passes over the training part.
        batch_size: Examples a gradient is taken of at once.
        oversample: Draw the examples of smaller classes more than once an epoch, each class as often as the largest.
        accumulate: Batches whose gradients are averaged into one update.
        device: Where to train; auto takes cuda, else mps, else cpu.
        precision: fp32; mixed precision in bf16, or in fp16 with loss scaling; fp64 to check numbers.
        tf32: On CUDA, let matrix products and convolutions round their inputs to TF32, 10 bits of fraction; torch by
            itself lets convolutions, not products.
        deterministic: On CUDA, refuse operators that add in another order each time, and give cuBLAS one workspace, so
            that a run repeated on the same card has the same bits; convolutions are deterministic without it.
        channels_last: Store images and convolution weights with channels innermost.
        compile: Compile the model with torch.compile.
        cuda_graph: On CUDA, replay updates as CUDA graphs: the same kernels, so the same bits, with one launch instead
            of hundreds. What cannot be captured, or is not dlexp's or torch's, runs as it is.
        threads: CPU threads. auto takes 1 for a small dense model, else 1 or torch's choice, whichever is faster in the
            first updates; the run stores which and goes on with it. null takes torch's choice, but for small dense
            models. Equal threads, equal results.
        grad_clip: Largest Euclidean norm of a gradient; null does not clip.
        ema: Decay d of a moving average of the weights, evaluated in their place: a += (1 - min(d, (1 + t) / (10 + t)))
            (theta - a) after update t, so that the random first weights are soon forgotten; batch norm's running
            statistics stay those of the trained weights unless norm.statistics=exact. null for none.
        monitor: Metric that chooses the best epoch, for example val/accuracy; auto takes the task's first.
        patience: Epochs without improvement of the monitor after which to stop; null never stops early.
        min_delta: Smallest change of the monitor that counts as an improvement.
        max_seconds: Training seconds, over all resumes, after which to stop; null for no limit.
        eval_batch_size: Examples evaluated at once; auto: in the memory of an update, or 256 MiB; at most 1024.
        fuse: Trials of a search or folds trained as one program; auto times a few updates and takes the faster.
        shard: Of one model over many devices, divide the optimiser's state: each device keeps that of a slice of the
            weights and moves only these, which changes rounding alone. Checkpoints are the same.
        profile: Before training, write where the time of an update goes into the run's folder: `profile/trace.json.gz`
            for Perfetto, `profile/operators.csv` with the ten dearest; a line says what bounds it. No number changes.
        diagnose: Where a training does not learn, say why: auto watches the first ten updates and the dead units of one
            batch, makes the updates again in memory where it diverged or ends as a guess, and prints one finding with
            its cure; off does not. No number changes.
        baseline: At the end of `dlexp train`, say what the 5 nearest neighbours reach on the same validation part: auto
            where N training and M validation examples of D inputs have N M (D + 16) <= 1e9, a second's work; off does
            not. What a guess reaches is always told. No number changes.
    """

    epochs: Count = 30
    batch_size: Count = 32
    oversample: bool = False
    accumulate: Count = 1
    device: Literal[
        "auto", "cpu", "mps", "cuda", "cuda:0", "cuda:1", "cuda:2", "cuda:3", "cuda:4", "cuda:5", "cuda:6", "cuda:7"
    ] = "auto"
    precision: Literal["fp32", "bf16", "fp16", "fp64"] = "fp32"
    tf32: bool = False
    deterministic: bool = False
    channels_last: bool = True
    compile: bool = False
    cuda_graph: bool = True
    threads: Literal["auto"] | Threads | None = "auto"
    grad_clip: PerTrial[Positive] | None = None
    ema: PerTrial[Probability] | None = None
    monitor: str = "auto"
    patience: Count | None = None
    min_delta: NonNegative = 0.0
    max_seconds: Positive | None = None
    eval_batch_size: Literal["auto"] | Count = "auto"
    fuse: Literal["auto", "off"] | Count = "auto"
    shard: bool = False
    profile: bool = False
    diagnose: Literal["auto", "off"] = "auto"
    baseline: Literal["auto", "off"] = "auto"
