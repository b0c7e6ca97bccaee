"""Real Kubernetes clusters with pods, in namespaces of this machine, and the add-on in them.

Made for namespaces of its own (run.sh makes them), so that every name is free and everything ends with the run. What does not
concern pods (Open Cluster Management, the client of the API) is that of tests/ocm/harness.
"""
