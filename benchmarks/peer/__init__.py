"""The same work as dlexp's, as users of other tools write it: scripts that ``python -m benchmarks.peer`` runs."""
