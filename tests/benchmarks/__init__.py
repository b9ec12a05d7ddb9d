"""Benchmarks, each beside its peer in one run. `python -m tests.benchmarks --help` says what there is."""
