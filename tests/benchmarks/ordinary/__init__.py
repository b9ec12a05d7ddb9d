"""The peer: the same payments as an ordinary FastAPI + SQLAlchemy + eth_account service would take them.

Written as one would write it with these libraries and no thought of benchmarks, and as correct as ours: a row lock on
the channel, double entry, an outbox row and an audit leaf in the same commit (tests/benchmarks/cases.py says how).
"""
