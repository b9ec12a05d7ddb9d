"""JSON logs with a request id, and no secret in any line."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

import structlog

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

_SECRET_NAMES = re.compile(r"key|secret|token_value|password|authorization|signature|mnemonic|seed", re.IGNORECASE)
_PUBLIC_NAMES = frozenset({"idempotency_key", "key_id", "dedup_key", "public_key"})
# API keys of ours, and credentials inside URLs (a broker's may have no user).
_SECRET_VALUES = re.compile(r"lg_(?:live|test)_[A-Za-z0-9_-]+|(?<=://)[^/@\s:]*:[^/@\s]+(?=@)")
_HIDDEN = "[hidden]"
# A line for every task received and ended, several a second; metrics count them.
_CELERY_TURNS = ("celery.worker.strategy", "celery.app.trace", "celery.beat")


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what is named like a secret, and what looks like one inside any text, however deep."""
    for name, value in event.items():
        if not name.startswith("_"):  # structlog's own, not printed
            event[name] = _clean(name, value)
    return event


def _clean(name: str, value: Any) -> Any:
    if name not in _PUBLIC_NAMES and _SECRET_NAMES.search(name):
        return _HIDDEN
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return _SECRET_VALUES.sub(_HIDDEN, value)
    if isinstance(value, Mapping):
        return {str(key): _clean(str(key), item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean("", item) for item in value]
    return _SECRET_VALUES.sub(_HIDDEN, repr(value))


def _add_request_id(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    current = request_id.get()
    if current is not None:
        event.setdefault("request_id", current)
    return event


def configure(level: str = "INFO") -> None:
    """Send structlog's and the standard library's records to stderr as one JSON object a line."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_request_id,
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Their INFO lines carry URLs of every call.
    for noisy in ("httpx", "httpcore", "web3", "urllib3", *_CELERY_TURNS):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for module `name`."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger
