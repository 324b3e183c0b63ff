"""A live cluster, read: what kinds it has, and every resource of them. Nothing is ever written."""

from bartizan.sources.cluster.connect import Cluster, RefusedError, connect
from bartizan.sources.cluster.listing import Selection, list_resources

__all__ = ["Cluster", "RefusedError", "Selection", "connect", "list_resources"]
