"""The OpenAPI document: sound in itself, and true of what the API answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.openapi.models import OpenAPI
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.integration.payments.api import Api
from tests.support.seed import Merchant, SeededChannel, seed_channel

ROOT = "urn:openapi"


@pytest.fixture(scope="module")
def document(api: Api) -> dict[str, Any]:
    answer = api.http.get("/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def check(document: dict[str, Any], pointer: str, value: Any) -> None:
    """`value` is valid against the schema at `pointer`. Raises jsonschema.ValidationError."""
    registry: Registry[Any] = Registry().with_resource(ROOT, DRAFT202012.create_resource(document))
    Draft202012Validator({"$ref": f"{ROOT}#{pointer}"}, registry=registry).validate(value)


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    yield path, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from walk(inner, f"{path}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from walk(inner, f"{path}/{number}")


def at(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        document = document[part.replace("~1", "/").replace("~0", "~")]
    return document


def test_it_is_an_openapi_3_1_document(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPI.model_validate(document)
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert name.isidentifier(), name


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = [value["$ref"] for _, value in walk(document) if isinstance(value, dict) and "$ref" in value]
    assert references
    for reference in references:
        assert isinstance(at(document, reference.removeprefix("#")), dict)


def test_operations_have_names_of_their_own_and_say_what_they_answer(document: dict[str, Any]) -> None:
    operations = [op for path in document["paths"].values() for op in path.values()]
    identifiers = [operation["operationId"] for operation in operations]
    assert len(identifiers) == len(set(identifiers))
    for operation in operations:
        assert operation["summary"]
        assert operation["responses"]


def test_no_route_promises_a_422_that_is_not_ours(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_the_routes_of_the_direct_path_are_in_it(document: dict[str, Any]) -> None:
    methods = {path: set(found) for path, found in document["paths"].items() if path.startswith("/v1/")}
    assert methods == {
        "/v1/payments": {"get", "post"},
        "/v1/payments/batch": {"post"},
        "/v1/payments/{payment_id}": {"get"},
        "/v1/channels": {"get"},
        "/v1/channels/{channel_id}": {"get"},
    }


def examples_of(document: dict[str, Any]) -> dict[str, Any]:
    """Every example of a schema, by the pointer of that schema and its number."""
    return {
        f"{path} #{number}": (path, example)
        for path, schema in walk(document)
        if isinstance(schema, dict) and isinstance(schema.get("examples"), list)
        for number, example in enumerate(schema["examples"])
    }


def test_every_example_is_valid_against_its_schema(document: dict[str, Any]) -> None:
    found = examples_of(document)
    ours = (
        "VoucherPayment",
        "Batch",
        "Payment",
        "PaymentList",
        "BatchAnswer",
        "Channel",
        "ChannelList",
        "ProblemDocument",
    )
    for name in ours:
        assert any(path == f"/components/schemas/{name}" for path, _ in found.values()), f"{name} has no example"
    for pointer, example in found.values():
        check(document, pointer, example)


def body_schema(document: dict[str, Any], path: str, method: str, status: str, media_type: str) -> str:
    """The pointer of the schema that an answer is said to have."""
    responses = document["paths"][path][method]["responses"]
    assert status in responses, f"{method} {path} does not say that it answers {status}"
    pointer: str = responses[status]["content"][media_type]["schema"]["$ref"]
    return pointer.removeprefix("#")


def test_what_it_answers_is_what_it_says(
    api: Api, document: dict[str, Any], merchant: Merchant, channel: SeededChannel
) -> None:
    seed_channel(api.connection, merchant)
    payment = api.pay(merchant, channel.body(5, 5, "order"))
    unsigned = channel.body(5, 10)
    unsigned["voucher"]["signature"] = "0x" + "11" * 65
    answers = [
        ("/v1/payments", "post", payment),
        ("/v1/payments", "post", api.pay(merchant, channel.body(5, 5, "order"))),
        ("/v1/payments", "post", api.pay(merchant, {})),
        ("/v1/payments", "post", api.pay(merchant, channel.body(5, 9))),
        ("/v1/payments", "post", api.pay(merchant, unsigned)),
        ("/v1/payments", "post", api.http.post("/v1/payments", json={})),
        ("/v1/payments", "post", api.pay(merchant, " " * 10_000)),
        ("/v1/payments/batch", "post", api.pay_many(merchant, [channel.body(5, 10), channel.body(5, 99), {}])),
        ("/v1/payments/batch", "post", api.pay_many(merchant, [])),
        ("/v1/payments", "get", api.get(merchant, "/v1/payments", limit=1)),
        ("/v1/payments", "get", api.get(merchant, "/v1/payments", limit=0)),
        ("/v1/payments/{payment_id}", "get", api.get(merchant, f"/v1/payments/{payment.json()['id']}")),
        ("/v1/payments/{payment_id}", "get", api.get(merchant, "/v1/payments/pay_0")),
        ("/v1/channels", "get", api.get(merchant, "/v1/channels", limit=1)),
        ("/v1/channels/{channel_id}", "get", api.get(merchant, f"/v1/channels/0x{channel.channel_id.hex()}")),
        ("/v1/channels/{channel_id}", "get", api.get(merchant, "/v1/channels/0x")),
    ]
    for path, method, answer in answers:
        said = body_schema(document, path, method, str(answer.status_code), answer.headers["content-type"])
        check(document, said, answer.json())


@pytest.mark.parametrize("wrong", [{}, {"voucher": {}, "amount": "5"}, 5])
def test_what_the_document_forbids_the_api_refuses(
    api: Api, document: dict[str, Any], merchant: Merchant, wrong: Any
) -> None:
    from jsonschema import ValidationError

    with pytest.raises(ValidationError):
        check(document, "/components/schemas/VoucherPayment", wrong)
    assert api.pay(merchant, wrong).status_code == 400


def test_what_the_document_allows_the_api_takes(
    api: Api, document: dict[str, Any], merchant: Merchant, channel: SeededChannel
) -> None:
    for cumulative, reference in ((5, None), (10, "x"), (15, "é" * 128)):
        body = channel.body(5, cumulative, reference)
        check(document, "/components/schemas/VoucherPayment", body)
        assert api.pay(merchant, body).status_code == 201
