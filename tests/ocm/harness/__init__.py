"""A real Open Cluster Management hub and its managed clusters, as processes in network namespaces; and our add-on on it.

Made for namespaces of its own (run.sh makes them), so every port is free, and everything ends with the run.
"""
