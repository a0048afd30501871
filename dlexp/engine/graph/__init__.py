"""Updates on CUDA replayed as graphs: the trials' passes forked over streams, a whole update captured as one graph."""
