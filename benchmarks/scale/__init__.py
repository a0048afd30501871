"""What many GPUs and many runs ask of the one process that drives and lists them."""
