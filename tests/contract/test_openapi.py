"""The OpenAPI document is valid and holds every routed row, with its fields, access and errors."""

import json

import jsonschema
import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from kycmanager.commands import TABLE
from kycmanager.commands.model import Kind, errors_of
from kycmanager.contract import doors, openapi, openapi_bytes
from kycmanager.domain.errors import Code
from kycmanager.domain.files import RENDITION_KINDS
from storagemanager.renditions import Kind as RenditionKind
from storagemanager.renditions.model import SIDES

DOCUMENT = json.loads(openapi_bytes())
ROUTED = [command for command in TABLE if command.route]
IDS = [command.name for command in ROUTED]


def resolve(value):
    while "$ref" in value:
        found = DOCUMENT
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        value = found
    return value


def operation(command):
    return DOCUMENT["paths"][command.route.path][command.route.methods[0].lower()]


def check(value, schema):
    whole = {**schema, "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def test_it_is_valid():
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_it_is_pretty_and_ends_with_a_line():
    assert openapi.text(TABLE).endswith("}\n")


def test_operation_ids_are_unique():
    made = [each["operationId"] for path in DOCUMENT["paths"].values() for verb, each in path.items() if verb in VERBS]
    assert len(made) == len(set(made))
    assert {
        "Upload",
        "StorageGet",
        "StorageHead",
        "RenditionGet",
        "RenditionHead",
        "Healthz",
        "Readyz",
        "Metrics",
        "OpenApi",
    } <= set(made)


VERBS = {"get", "head", "put", "post", "patch", "delete"}


@pytest.mark.parametrize("command", ROUTED, ids=IDS)
def test_every_method_of_a_row_is_there(command):
    for method in command.route.methods:
        found = DOCUMENT["paths"][command.route.path][method.lower()]
        assert found["operationId"].startswith(command.name)
        assert found["summary"] == command.summary
        assert found["security"] == [{"token": []}, {"bearer": []}]
        assert set(found["x-sessions"]) == {kind.name for kind in command.access.sessions}
    assert operation(command)["operationId"] == command.name


def test_a_row_without_a_route_is_not_there():
    text = openapi_bytes().decode()
    assert '"operationId": "Subscribe"' not in text
    assert "SysExpireDue" not in text


@pytest.mark.parametrize("command", ROUTED, ids=IDS)
def test_every_field_has_its_place(command):
    found = operation(command)
    placed = [each["name"] for each in found["parameters"] if "name" in each]
    if "requestBody" in found:
        schema = resolve(found["requestBody"]["content"]["application/json"]["schema"])
        placed += schema["properties"]
        assert found["requestBody"]["required"] == bool(schema["required"])
    assert sorted(placed) == sorted(command.request.__struct_fields__)
    for each in found["parameters"]:
        if each.get("in") == "path":
            assert each["required"] is True


@pytest.mark.parametrize("command", ROUTED, ids=IDS)
def test_writes_take_an_idempotency_key(command):
    reference = {"$ref": "#/components/parameters/IdempotencyKey"}
    assert (reference in operation(command)["parameters"]) == (command.kind is Kind.WRITE)


@pytest.mark.parametrize("command", ROUTED, ids=IDS)
def test_every_error_is_told_by_status_and_name(command):
    responses = operation(command)["responses"]
    for code in errors_of(command):
        schema = resolve(responses[str(code.status)])["content"]["application/json"]["schema"]
        assert code.wire_name in schema["allOf"][1]["properties"]["error"]["enum"]
    assert "405" not in responses


@pytest.mark.parametrize("command", ROUTED, ids=IDS)
def test_examples_are_what_the_schemas_say(command):
    found = operation(command)
    for each in map(resolve, found["parameters"]):
        check(each["example"], each["schema"])
    if "requestBody" in found:
        media = found["requestBody"]["content"]["application/json"]
        check(media["example"], media["schema"])
    for response in map(resolve, found["responses"].values()):
        media = response["content"]["application/json"]
        for example in media.get("examples", {"only": {"value": media.get("example")}}).values():
            check(example["value"], media["schema"])


def test_the_examples_of_replies_are_replies():
    for command in ROUTED:
        example = operation(command)["responses"]["200"]["content"]["application/json"]["example"]
        msgspec.convert(example, command.reply)


def test_examples_of_the_other_routes():
    for path in ("/healthz", "/readyz"):
        for response in DOCUMENT["paths"][path]["get"]["responses"].values():
            media = response["content"]["application/json"]
            check(media["example"], media["schema"])
    media = DOCUMENT["paths"]["/upload"]["post"]["responses"]["200"]["content"]["application/json"]
    check(media["example"], media["schema"])


def test_query_parameters_have_their_bounds():
    command = next(each for each in TABLE if each.name == "MngGetKycProfiles")
    by_name = {each["name"]: each for each in operation(command)["parameters"]}
    assert by_name["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
    assert by_name["limit"]["required"] is False
    assert by_name["order"]["schema"]["enum"] == ["-id", "-updated_time", "id", "updated_time"]
    assert "-1 is any" in by_name["status"]["description"]
    gate = next(each for each in TABLE if each.name == "MngGetKycGate")
    assert all(each["required"] for each in operation(gate)["parameters"])


def test_the_path_field_is_not_in_the_body():
    body = DOCUMENT["components"]["schemas"]["RejectStepBody"]
    assert "id" not in body["properties"]
    assert body["required"] == []
    assert "RejectStep" not in DOCUMENT["components"]["schemas"]


def test_enumerations_tell_their_names():
    schema = DOCUMENT["components"]["schemas"]["TemplateStatus"]
    assert schema["type"] == "integer"
    assert schema["enum"] == [0, 1, 2]
    assert schema["x-enum-varnames"] == ["ACTIVE", "DISABLED", "ARCHIVED"]
    assert "0 active, 1 disabled, 2 archived" in schema["description"]


def test_the_upload():
    upload = DOCUMENT["paths"]["/upload"]["post"]
    content = upload["requestBody"]["content"]
    assert set(content) == {"multipart/form-data", "application/octet-stream"}
    assert set(content["multipart/form-data"]["schema"]["properties"]) == {"file", "purpose", "brand", "scope"}
    assert "507" in upload["responses"]
    names = resolve(upload["responses"]["400"])["description"]
    assert "RET_INVALID_DATA" in names
    assert upload["security"]


def test_what_needs_no_token():
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
        assert DOCUMENT["paths"][path]["get"]["security"] == []


def test_the_storage_tells_parts_and_head_has_no_body():
    path = DOCUMENT["paths"]["/storage/{name}"]
    assert {"200", "206", "304", "416", "401", "403", "404"} <= set(path["get"]["responses"])
    shown = DOCUMENT["paths"]["/storage/{name}/rendition"]
    assert {"200", "400", "401", "403", "404", "503"} <= set(shown["get"]["responses"])
    for head in (path["head"], shown["head"]):
        assert all("content" not in response for response in head["responses"].values())


def test_the_sizes_of_renditions_are_those_that_are_drawn():
    assert {kind.value: side for kind, side in SIDES.items()} == doors.SIDES
    assert tuple(kind.value for kind in RenditionKind) == RENDITION_KINDS


def test_no_schema_is_left_over():
    text = openapi_bytes().decode()
    for name in DOCUMENT["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in text


def test_every_code_has_an_example():
    from kycmanager.contract.answers import refusal_example

    for code in Code:
        assert refusal_example(code)["message"]
