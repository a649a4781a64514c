"""The merged document of all services."""

import pytest

from loyalty_gateway.api import contracts
from loyalty_gateway.api.public_document import merge

SERVER = "https://api.example.com/api/v1"
REF = "#/components/schemas/"


def operation(operation_id="list", schema="Error", scope="programs:read"):
    content = {"application/json": {"schema": {"$ref": REF + schema}}}
    return {
        "operationId": operation_id,
        "x-loyalty": {"scope": scope, "class": "read", "timeout_s": 10},
        "responses": {"200": {"description": "OK", "content": content}},
    }


def document(paths, **schemas):
    return {"openapi": "3.1.0", "paths": paths, "components": {"schemas": schemas}}


def schema_of(merged, path):
    content = merged["paths"][path]["get"]["responses"]["200"]["content"]
    return content["application/json"]["schema"]["$ref"].removeprefix(REF)


def test_only_public_operations_are_told_without_our_own_notes():
    paths = {"/v1/stamp-cards": {"get": operation()}, "/internal/events": {"post": operation()}, "/livez": {"get": {}}}
    merged = merge({"programs": document(paths)}, server_url=SERVER)
    assert merged["servers"] == [{"url": SERVER}]
    assert list(merged["paths"]) == ["/stamp-cards"]
    told = merged["paths"]["/stamp-cards"]["get"]
    assert "x-loyalty" not in told
    assert told["security"] == [{"api_key": ["programs:read"]}, {"session": ["manager"]}]


def test_it_says_who_needs_no_key_and_which_role_a_session_takes():
    def guarded(path, scope, **rules):
        described = operation(path, scope=scope)
        described["x-loyalty"] |= rules
        return {path: {"get": described}}

    paths = (
        guarded("/v1/open", None, caller="anyone")
        | guarded("/v1/session", None, caller="session")
        | guarded("/v1/till", "programs:write", role="staff")
        | guarded("/v1/keys", "keys:read")
    )
    merged = merge({"programs": document(paths)}, server_url=SERVER)["paths"]
    assert {path: item["get"]["security"] for path, item in merged.items()} == {
        "/open": [],
        "/session": [{"session": ["staff"]}],
        "/till": [{"api_key": ["programs:write"]}, {"session": ["staff"]}],
        "/keys": [{"api_key": ["keys:read"]}, {"session": ["owner"]}],
    }


def test_a_name_that_means_the_same_everywhere_is_told_once():
    error = {"type": "object"}
    documents = {
        "programs": document({"/v1/stamp-cards": {"get": operation("stamps")}}, Error=error),
        "vouchers": document({"/v1/vouchers": {"get": operation("vouchers")}}, Error=error),
    }
    merged = merge(documents, server_url=SERVER)
    assert merged["components"]["schemas"] == {"Error": error}
    assert schema_of(merged, "/stamp-cards") == schema_of(merged, "/vouchers") == "Error"


def test_a_name_that_means_two_things_is_told_apart_with_all_that_refers_to_it():
    def service(path, meaning):
        shared = {"Page": {"items": {"$ref": REF + "Row"}}, "Row": {"type": meaning}, "Error": {"type": "object"}}
        return document({path: {"get": operation("list", "Page")}}, **shared)

    documents = {"programs": service("/v1/stamp-cards", "object"), "vouchers": service("/v1/vouchers", "string")}
    merged = merge(documents, server_url=SERVER)
    schemas = merged["components"]["schemas"]
    assert schemas.keys() == {"ProgramsPage", "ProgramsRow", "VouchersPage", "VouchersRow", "Error"}
    assert schemas[schema_of(merged, "/vouchers")] == {"items": {"$ref": REF + "VouchersRow"}}
    ids = [item["get"]["operationId"] for item in merged["paths"].values()]
    assert len(set(ids)) == 2


def test_parameters_of_a_path_go_with_it():
    parameters = [{"in": "path", "name": "stamp_card_id", "required": True, "schema": {"type": "integer"}}]
    paths = {"/v1/stamp-cards/{stamp_card_id}": {"parameters": parameters, "get": operation()}}
    merged = merge({"programs": document(paths)}, server_url=SERVER)
    assert merged["paths"]["/stamp-cards/{stamp_card_id}"]["parameters"] == parameters


def test_a_service_without_its_document_is_no_gateway(tmp_path):
    with pytest.raises(FileNotFoundError):
        contracts.load(tmp_path, ["programs"])


def test_what_a_tag_means_is_said_once():
    def tags(**meanings):
        return {**document({}), "tags": [{"name": name, "description": text} for name, text in meanings.items()]}

    documents = {"programs": tags(Rewards="To spend on.", Exports="Files."), "vouchers": tags(Exports="Lists.")}
    told = {tag["name"]: tag["description"] for tag in merge(documents, server_url=SERVER)["tags"]}
    assert told == {"Rewards": "To spend on.", "Exports": "Files."}
