"""The chain: deployment on local chains, and the client that the services share."""

from __future__ import annotations
