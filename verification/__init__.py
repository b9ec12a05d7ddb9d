"""What decides whether money may move: no network, no database, no clock of its own."""
