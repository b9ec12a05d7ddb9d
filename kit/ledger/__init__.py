"""The book: double entry over PostgreSQL."""
