"""Small trainings with a planted fault, and without."""

SMALL = ["tracking=none", "trainer.threads=1", "data.limit=300", "trainer.batch_size=16"]
DEEP = "model.widths=[32,32,32,32,32]"
# overrides, rule that names the cause, override that cures it
FAULTS = {
    "symmetric": (["init=zeros", "norm=none"], "init=kaiming_normal"),
    "unscaled": (["data=wine", "normalize=none", "norm=none"], "normalize=standard"),
    "signal": ([DEEP, "norm=none", "init=normal", "init.std=0.001"], "init=kaiming_normal"),
    "saturated": ([DEEP, "norm=none", "activation=tanh", "init=normal", "init.std=2"], "init=xavier_normal"),
    "gradient_vanishes": ([DEEP, "norm=none", "activation=sigmoid"], "activation=relu"),
    "lr_small": (["optimizer.lr=1e-6"], "optimizer.lr=0.01"),
    "lr_large": (["optimizer=adam", "optimizer.lr=10"], "optimizer.lr=0.001"),
}
HEALTHY = [[], ["norm=none"], ["optimizer=adam", "optimizer.lr=0.001"], ["data=wine"], ["activation=tanh"]]
