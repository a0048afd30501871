"""What holds for every test: one thread a process, so that results repeat and two workers do not fight for cores."""

import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
