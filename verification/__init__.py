"""What decides whether money may move: pure functions, with no network, no database and no clock of their own."""
