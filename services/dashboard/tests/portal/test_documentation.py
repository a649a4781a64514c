"""What the pages show is all that there is, in its place."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import jsonschema

from loyalty_dashboard.portal import postman, search
from loyalty_dashboard.portal.documentation import Documentation
from loyalty_dashboard.portal.operations import operations
from loyalty_dashboard.portal.search import Entry

GUIDE = Entry("Guide", "Idempotency", "Requests", "/docs/requests#idempotency", "Idempotency-Key retry")


def test_every_operation_stands_in_exactly_one_group(document, documentation):
    shown = [operation.name for group in documentation.groups for operation in group.operations]
    there = [
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    ]
    assert sorted(shown) == sorted(there)
    assert len({operation.anchor for operation in operations(document)}) == len(there)


def test_the_reference_s_own_groups_come_first_and_in_its_order(documentation):
    assert [group.title for group in documentation.groups][:4] == [
        "Customers",
        "Loyalty cards",
        "Stamp cards",
        "Vouchers",
    ]
    sections = [section.name for section in documentation.groups[1].sections]
    assert sections.index("Loyalty cards") < sections.index("Points") < sections.index("Rewards")
    assert all(section.description for group in documentation.groups for section in group.sections)


def test_an_operation_that_nobody_has_heard_of_is_shown_with_an_example_of_its_schema(document, contracts):
    newer = copy.deepcopy(document)
    body = {"type": "object", "required": ["size"], "properties": {"size": {"enum": ["small", "large"]}}}
    answer = {"type": "object", "properties": {"data": {"type": "object", "properties": {"id": {"type": "integer"}}}}}
    newer["paths"]["/gift-cards/{gift_card_id}"] = {
        "parameters": [{"in": "path", "name": "gift_card_id", "required": True, "schema": {"type": "integer"}}],
        "post": {
            "operationId": "post_gift_cards",
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            "responses": {"201": {"description": "", "content": {"application/json": {"schema": answer}}}},
        },
    }
    documentation = Documentation(newer, contracts)
    group = documentation.groups[-1]
    assert (group.slug, group.title) == ("gift-cards", "Gift cards")
    example = documentation.example(group.operations[0])
    assert (example.path, example.body, example.answer) == ({"gift_card_id": 1}, {"size": "small"}, {"data": {"id": 1}})
    assert not example.played
    assert '-d \'{"size":"small"}\'' in documentation.samples(group.operations[0])["curl"]


def test_fields_say_what_the_schema_says(documentation):
    credit = documentation.operations["post_loyalty_cards_card_id_transactions"]
    fields = {field.name: field for field in credit.body_fields}
    assert (fields["amount"].kind, fields["amount"].bounds[0]) == ("decimal", "more than 0")
    assert (fields["occurred_at"].kind, fields["occurred_at"].nullable) == ("time", True)
    assert (credit.scope, credit.role, credit.takes_idempotency_key) == ("programs:write", "staff", True)
    customer = {field.name: field for field in documentation.operations["post_customers"].body_fields}
    assert (customer["email"].required, customer["name"].required) == (True, False)
    program = documentation.operations["post_referral_programs"]
    milestones = next(field for field in program.body_fields if field.name == "milestones")
    assert milestones.kind == "list of objects"
    assert "custom" in next(field for field in milestones.fields if field.name == "type").choices


def test_what_a_list_has_like_every_list_is_not_repeated(documentation):
    customers = documentation.operations["get_customers"]
    assert customers.is_list
    assert [field.name for field in customers.filters] == ["search", "updated_since", "external_id", "email", "ids"]


def test_every_event_is_there_with_a_payload_of_its_contract(documentation, contracts):
    assert [event.name for event in documentation.events][:2] == ["customer.created", "customer.updated"]
    for event in documentation.events:
        assert event.description
        assert event.fields
        assert event.payloads[0]["event"] == event.name


def test_the_download_is_openapi_with_examples_of_the_right_shape(documentation):
    told = json.loads(documentation.openapi)
    assert told["paths"].keys() == documentation.document["paths"].keys()
    credit = told["paths"]["/loyalty-cards/{card_id}/transactions"]["post"]
    example = credit["responses"]["201"]["content"]["application/json"]["example"]
    schema = {**credit["responses"]["201"]["content"]["application/json"]["schema"], "components": told["components"]}
    jsonschema.Draft202012Validator(schema).validate(example)
    assert "24.50" in documentation.openapi


def test_the_collection_has_a_request_for_each_operation_and_no_secret(documentation):
    told = json.loads(postman.collection(documentation))
    requests = [item["request"] for folder in told["item"] for item in folder["item"]]
    assert len(requests) == len(documentation.operations)
    assert all(request["url"]["raw"].startswith("{{base_url}}/") for request in requests)
    assert {variable["key"]: variable["value"] for variable in told["variable"]}["api_key"] == ""
    assert ":card_id" in next(
        each["url"]["raw"] for each in requests if "loyalty-cards" in each["url"]["raw"] and each["method"] == "PATCH"
    )


def test_searching_finds_operations_events_fields_and_guides(documentation):
    entries = list(search.entries(documentation, [GUIDE]))
    found = {
        query: search.find(entries, query)[0]
        for query in ("redeem voucher", "points_earned", "IDEMPOTENCY", "refund_floor")
    }
    assert found["redeem voucher"].title.startswith("Redeem a voucher")
    assert found["points_earned"].title == "loyalty.points_earned"
    assert found["IDEMPOTENCY"] == GUIDE
    assert found["refund_floor"].detail.startswith("/loyalty-cards")
    for nothing in ("", "  ", "qwertz", "%"):
        assert search.find(entries, nothing) == []
    accented = replace(GUIDE, title="Café")
    assert search.find([accented], "cafe") == [accented]
