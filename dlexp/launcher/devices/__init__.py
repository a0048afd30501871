"""One training over many devices: the processes that torchrun starts, a device each."""
