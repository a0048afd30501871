"""dlexp: an experiment runner for deep networks that says which setting is better, and how sure it is."""

import os

# Read when torch is imported. Threads that spin while they wait for another take the cores that others work on: beside
# busy neighbours an update of a convolution net on two threads took six times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
