"""The OpenAPI description is valid, says of every point how sure it is, and agrees with the tables it was read from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from simulator_contract.description import DOCUMENT, SET, allows, operations, resolve

from reconciler.gateway.retcodes import RETCODES
from reconciler.model.agent import MAX_AGENT_ID, MIN_AGENT_ID
from reconciler.model.channel import Channel
from reconciler.simulator import Control, Gateway, Rules, reference

GRADES = {"S", "D", "C", "I", "?", "R"}
SCHEMAS: Mapping[str, Any] = DOCUMENT["components"]["schemas"]


def served(tag: str) -> dict[str, set[str]]:
    """The methods by path, of the operations with this tag."""
    found: dict[str, set[str]] = {}
    for path, method, operation in operations():
        if tag in operation["tags"]:
            found.setdefault(path, set()).add(method)
    return found


def nodes(node: object, pointer: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object in the document with its pointer."""
    if isinstance(node, Mapping):
        yield pointer, node
        for name, each in node.items():
            yield from nodes(each, f"{pointer}/{name}")
    elif isinstance(node, list):
        for position, each in enumerate(node):
            yield from nodes(each, f"{pointer}/{position}")


def test_the_description_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(dict(DOCUMENT)).iter_errors()] == []


def test_every_operation_says_where_it_is_from_and_how_sure_that_is() -> None:
    ungraded = [
        (path, method)
        for path, method, operation in operations()
        if not operation.get("x-source") or operation.get("x-grade") not in GRADES or not operation.get("summary")
    ]
    assert ungraded == []


def test_source_and_grade_go_together_and_a_grade_is_one_of_those_explained() -> None:
    explained = set(re.findall(r"^\| (\S) \|", DOCUMENT["info"]["description"], re.MULTILINE))
    assert explained == GRADES
    graded = [(pointer, node) for pointer, node in nodes(DOCUMENT) if "x-grade" in node or "x-source" in node]
    assert len(graded) > 40
    assert [pointer for pointer, node in graded if node.get("x-grade") not in GRADES or "x-source" not in node] == []


@pytest.mark.parametrize("name", ["Concurrency", "ChannelOfTheTable", "ChannelOfTheExample", "Answer", "SignIn"])
def test_every_parameter_of_the_gateways_messages_is_described(name: str) -> None:
    properties = SCHEMAS[name]["properties"]
    assert [key for key, node in properties.items() if not resolve(node).get("description")] == []


def test_every_example_is_one_that_its_schema_allows() -> None:
    told = list(_examples())
    assert len(told) > 12
    assert [pointer for pointer, schema, value in told if not allows(schema, value)] == []


def _examples() -> Iterator[tuple[str, Mapping[str, Any], object]]:
    for pointer, node in nodes(DOCUMENT):
        if "schema" in node and "example" in node:
            yield pointer, node["schema"], node["example"]
        if "schema" in node:
            for name, example in node.get("examples", {}).items():
                yield f"{pointer}/{name}", node["schema"], example["value"]


# What the simulator serves, from its tables.


def test_the_gateways_operations_are_those_that_are_served_with_the_pages_they_come_from() -> None:
    described = {
        (method, path, operation["x-source"])
        for path, method, operation in operations()
        if "rehearsal" not in operation["tags"]
    }
    assert described == {(each.method, each.path, each.page) for each in reference.RESOURCES.values()}


def test_the_rehearsals_operations_are_those_that_are_served() -> None:
    control = Control(Gateway(Rules(), clock=lambda: 0.0, tokens=lambda size: "0" * 2 * size))
    routes = {
        f"/rehearsal/{name}/{{agentid}}" if of_agent else f"/rehearsal/{name}": set(methods)
        for (name, of_agent), methods in control._routes.items()
    }
    assert served("rehearsal") == routes


def test_numbers_and_media_types_are_those_of_both_readings_of_the_page() -> None:
    total = SCHEMAS["Concurrency"]["properties"]["totalCallNum"]
    number = SCHEMAS["ChannelNumber"]
    assert range(total["minimum"], total["maximum"] + 1) == reference.TOTALS
    assert range(number["minimum"], number["maximum"] + 1) == reference.CHANNEL_NUMBERS
    assert SCHEMAS["MediaType"]["enum"] == list(reference.MEDIA_TYPES) == sorted(map(int, Channel))
    for code, name in reference.MEDIA_TYPES.items():
        assert f"{code} {name}" in " ".join(SCHEMAS["MediaType"]["description"].split())


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        *((str(agent), agent in reference.AGENT_IDS) for agent in (0, 1, 99, 100, 101, 109, 110, 199, 200, 999, 1000)),
        *((str(agent), MIN_AGENT_ID <= agent <= MAX_AGENT_ID) for agent in (9999, 59999, 99999, 999999, 1000000)),
        *((text, False) for text in ("", "0101", "1001 ", "-101", "1e3", "101.0", "1001/..")),
    ],
)
def test_agent_ids_are_101_to_999999_in_plain_digits(agent: str, expected: bool) -> None:
    assert allows("AgentId", agent) is expected


def test_the_retcodes_are_those_that_are_given_with_their_meanings() -> None:
    assert SCHEMAS["Retcode"]["x-retcodes"] == dict(reference.RETCODES)
    known = [*reference.RETCODES, *(code for code in RETCODES if "*" not in code)]  # a family is no retcode
    assert [code for code in known if not allows("Retcode", code)] == []


@pytest.mark.parametrize("retcode", [0, None, "", "00", "000003", "000-03", " 0", "success"])
def test_a_retcode_is_text_of_the_documented_form(retcode: object) -> None:
    assert not allows("Answer", {"message": "", "retcode": retcode})


def test_a_sign_in_is_described_within_the_bounds_of_its_page() -> None:
    properties = SCHEMAS["SignIn"]["properties"]
    assert properties["password"]["maxLength"] == reference.PASSWORD_LENGTH
    assert properties["phonenum"]["maxLength"] == reference.PHONE_LENGTH
    assert {value for value in properties["status"]["enum"] if isinstance(value, str)} == {*reference.AGENT_STATUSES}
    assert {value for value in properties["agenttype"]["enum"] if isinstance(value, str)} == {*reference.AGENT_TYPES}


def test_the_content_of_every_request_and_answer_is_json() -> None:
    kinds = {
        kind for _, node in nodes(DOCUMENT) if "content" in node and "description" in node for kind in node["content"]
    }
    assert kinds == {"application/json"}
    assert DOCUMENT["paths"][SET]["post"]["requestBody"]["required"]
