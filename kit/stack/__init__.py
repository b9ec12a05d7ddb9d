"""The one-machine stack: real parts as processes, for demos, tests and benchmarks. It imports no service."""
