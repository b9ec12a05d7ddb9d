"""The auditor: proves that the books balance, and that they say what the chain says."""
