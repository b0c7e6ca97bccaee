"""The harness of `make bench`: starts contenders side by side, measures them in turn, writes results.json."""
