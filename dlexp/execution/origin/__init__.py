"""Where the weights come from that a training begins with."""
