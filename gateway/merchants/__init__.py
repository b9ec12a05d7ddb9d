"""Merchants, their receivers and their API keys."""
