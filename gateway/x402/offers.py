"""What a paid resource asks for: its routes, its ways to pay, and which of them a client chose."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.x402 import headers
from gateway.x402.messages import (
    BATCH_SETTLEMENT,
    BOOKKEEPER,
    EXACT,
    FACILITATOR_KEEPS,
    X402_VERSION,
    Requirements,
)
from kit.chain.addresses import ESCROW

DESCRIPTION_MOST = 500
MIN_DEPOSIT_TIMES = 10
# What some routers take for a slash.
_SEPARATORS = re.compile(r"(?:[/\\]|%2f|%5c)+", re.IGNORECASE)
_NETWORK = re.compile(r"eip155:[1-9][0-9]{0,18}", re.ASCII)
_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(:path)?\}")


@dataclass(frozen=True, slots=True)
class PaidRoute:
    """One resource and its price, in the token's smallest unit.

    `path` is as routers write it: `/items/{id}`, `/files/{name:path}`. GET covers HEAD. Where GET is not a method of
    the route, a bare GET answers with the offer and takes refunds, unless `refund_by_get` says that the app needs it.
    """

    path: str
    price: int
    methods: frozenset[str] = frozenset({"GET"})
    description: str = ""
    mime_type: str = "application/json"
    refund_by_get: bool = True
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.price <= 0:
            raise ValueError(f"the price of {self.path} is at least 1")
        if len(self.description) > DESCRIPTION_MOST:
            raise ValueError(f"a description has at most {DESCRIPTION_MOST} characters")
        object.__setattr__(self, "pattern", _compile(self.path))

    def serves(self, method: str) -> bool:
        return method in self.methods or (method == "HEAD" and "GET" in self.methods)

    def refunds(self, method: str) -> bool:
        """Whether the method is there for refunds only."""
        return method == "GET" and self.refund_by_get and not self.serves("GET")


@dataclass(frozen=True, slots=True)
class Terms:
    """How a merchant is paid. Addresses are 20 bytes; `asset_name` and `asset_version` are the token's EIP-712 ones.

    `receiver_authorizer` None means: as the facilitator publishes it. Raises ValueError for a network that is none.
    """

    network: str
    asset: bytes
    asset_name: str
    asset_version: str
    pay_to: bytes
    receiver_authorizer: bytes | None = None
    withdraw_delay: int = 24 * 3600
    max_timeout_seconds: int = 300
    schemes: tuple[str, ...] = (BATCH_SETTLEMENT, EXACT)
    escrow: bytes = bytes.fromhex(ESCROW[2:])

    def __post_init__(self) -> None:
        if _NETWORK.fullmatch(self.network) is None:
            raise ValueError(f"{self.network!r} is not a network of EVM chains, such as eip155:8453")

    @property
    def chain_id(self) -> int:
        return int(self.network.partition(":")[2])


def offer(terms: Terms, authorizer: str, route: PaidRoute) -> tuple[Requirements, ...]:
    """The ways to pay for a route, the preferred one first. The same for every request."""
    domain = {"name": terms.asset_name, "version": terms.asset_version}
    exact = Requirements(
        EXACT, terms.network, terms.asset, route.price, terms.pay_to, terms.max_timeout_seconds, domain
    )
    batch = replace(
        exact,
        scheme=BATCH_SETTLEMENT,
        extra={
            **domain,
            "receiverAuthorizer": authorizer,
            "withdrawDelay": terms.withdraw_delay,
            "minDeposit": str(route.price * MIN_DEPOSIT_TIMES),
            BOOKKEEPER: FACILITATOR_KEEPS,
        },
    )
    by_scheme = {EXACT: exact, BATCH_SETTLEMENT: batch}
    return tuple(by_scheme[scheme] for scheme in terms.schemes)


def payment_required(
    offers: Sequence[Requirements],
    *,
    url: str,
    route: PaidRoute,
    error: str,
    correction: Mapping[str, object] | None = None,
) -> str:
    """The PAYMENT-REQUIRED header. A correction goes into the first batch-settlement entry, where clients look."""
    accepts = [requirements.document() for requirements in offers]
    if correction:
        first = next((entry for entry in accepts if entry["scheme"] == BATCH_SETTLEMENT), None)
        if first is not None:
            first["extra"] = {**first["extra"], **correction}
    resource: dict[str, Any] = {"url": url, "mimeType": route.mime_type}
    if route.description:
        resource["description"] = route.description
    value = headers.encode({"x402Version": X402_VERSION, "error": error, "resource": resource, "accepts": accepts})
    if len(value) > headers.HEADER_BYTES_MOST:
        raise ValueError(f"the offer for {route.path} is {len(value)} bytes, more than clients read")
    return value


def choose(offers: Sequence[Requirements], accepted: Requirements) -> Requirements | None:
    """The offer that a client accepted: equal field by field, and with all of our `extra` in its own."""
    for offered in offers:
        contained = all(accepted.extra.get(name) == value for name, value in offered.extra.items())
        if contained and replace(accepted, extra={}) == replace(offered, extra={}):
            return offered
    return None


def _compile(path: str) -> re.Pattern[str]:
    """As Starlette reads it: a parameter is one segment, `:path` is the rest.

    Raises ValueError for what is neither: a pattern that matches nothing would leave its resource unpaid.
    """
    if not path.startswith("/") or set(_PARAMETER.sub("", path)) & set("{}?#%"):
        raise ValueError(f"{path!r} is not a path such as /items/{{id}} or /files/{{name:path}}")
    parts, end = [], 0
    for match in _PARAMETER.finditer(path):
        parts.append(re.escape(path[end : match.start()]))
        parts.append(".*" if match.group(2) else "[^/]+")
        end = match.end()
    return re.compile("^" + "".join(parts) + re.escape(path[end:]) + "$", re.DOTALL)


def find_route(routes: Sequence[PaidRoute], path: str, method: str) -> PaidRoute | None:
    """The first route that serves the decoded path by this method, refunds included."""
    for route in routes:
        if route.pattern.match(path) and (route.serves(method) or route.refunds(method)):
            return route
    return None


def is_ambiguous(routes: Sequence[PaidRoute], path: str) -> bool:
    """Whether the path is none of ours as it stands, and would be one to a router that tidies paths up first."""
    if any(route.pattern.match(path) for route in routes):
        return False
    kept: list[str] = []
    for segment in _SEPARATORS.split(path):
        if segment == "..":
            kept[-1:] = []
        elif segment not in ("", "."):
            kept.append(segment.strip())
    tidy = "/" + "/".join(kept)
    return any(route.pattern.match(tidy) or route.pattern.match(tidy + "/") for route in routes)
