"""What the services stand on and neither owns: database, ledger, chain, HTTP conventions, the stack."""
