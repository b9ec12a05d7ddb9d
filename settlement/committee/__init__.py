"""Everybody who signs in the high-value protocol, as keys of one folder: for chains of worth to nobody."""
