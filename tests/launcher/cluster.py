"""A Ray cluster of two nodes on this machine, for tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SMALL: dict[str, Any] = {"node_ip_address": "127.0.0.1", "object_store_memory": 80 * 2**20}  # bytes


@contextmanager
def two_nodes() -> Iterator[tuple[Any, list[Any]]]:
    """Yield the cluster and its nodes of one CPU each; its head has none."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # the loopback address stays what it is, here and in workers
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, **SMALL}
    made = Cluster(initialize_head=True, head_node_args=head)
    nodes = [made.add_node(num_cpus=1, **SMALL) for _ in range(2)]
    yield made, nodes
    made.shutdown()
