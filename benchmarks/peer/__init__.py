"""The same work as dlexp's, written as users of other tools write it: scripts that `benchmarks.peers` runs."""
