"""Makes github-openapi.json and github.graphql: what GitHub publishes of its API, cut down to what `comment` calls.

    npm pack @octokit/openapi@23.0.2 && npm pack @octokit/graphql-schema@15.26.1
    python tests/review/extract_github_api.py octokit-openapi-23.0.2.tgz octokit-graphql-schema-15.26.1.tgz

Both packages are published by Octokit, GitHub's own, under the MIT licence, which is kept in the files that this
writes. Nothing is edited: paths, fields and types that are not called are left out, and so is what only explains.
"""

from __future__ import annotations

import json
import sys
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    print_schema,
)

HERE = Path(__file__).parent
REPOSITORY = "/repos/{owner}/{repo}"
CALLED = {
    f"{REPOSITORY}/issues/{{issue_number}}/comments": ("get", "post"),
    f"{REPOSITORY}/issues/comments/{{comment_id}}": ("patch", "delete"),
    f"{REPOSITORY}/issues/{{issue_number}}/labels": ("get", "post"),
    f"{REPOSITORY}/issues/{{issue_number}}/labels/{{name}}": ("delete",),
    f"{REPOSITORY}/labels": ("post",),
    f"{REPOSITORY}/labels/{{name}}": ("get",),
    f"{REPOSITORY}/commits/{{commit_sha}}/pulls": ("get",),
    "/user": ("get",),
}
EXPLAINS = frozenset({"description", "summary", "example", "examples", "externalDocs", "tags", "title"})
FIELDS = {"Query": ("viewer",), "User": ("databaseId",), "Mutation": ("minimizeComment",)}


def main(openapi: Path, graphql: Path) -> None:
    """Write both files beside this one."""
    rest = cut_rest(json.loads(member(openapi, "generated/api.github.com.json")))
    rest["x-origin"] = {**origin(openapi), "license": licence(openapi, "LICENSE")}
    text = json.dumps(rest, indent=1, sort_keys=True, ensure_ascii=False)
    (HERE / "github-openapi.json").write_text(f"{text}\n", encoding="utf-8")

    schema = cut_schema(build_schema(member(graphql, "schema.graphql"), assume_valid_sdl=True))
    head = [*(f"{name} {value}" for name, value in origin(graphql).items()), licence(graphql, "LICENSE.md")]
    comment = "".join(f"# {line}".rstrip() + "\n" for line in "\n".join(head).splitlines())
    (HERE / "github.graphql").write_text(f"{comment}\n{print_schema(schema)}\n", encoding="utf-8")


def cut_rest(whole: dict[str, Any]) -> dict[str, Any]:
    """Return the description of the paths in `CALLED`, with whatever they refer to."""
    paths = {path: {method: whole["paths"][path][method] for method in methods} for path, methods in CALLED.items()}
    kept: dict[str, dict[str, Any]] = {}
    open_references = list(references(plain(paths)))
    while open_references:
        _, _, family, name = open_references.pop().split("/")
        if name not in kept.setdefault(family, {}):
            kept[family][name] = plain(whole["components"][family][name])
            open_references += references(kept[family][name])
    return {"openapi": whole["openapi"], "info": whole["info"], "paths": plain(paths), "components": kept}


def plain(value: Any, *, names: bool = False) -> Any:
    """Return `value` without what only explains; `names`: its keys are names of fields, which are all kept."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: plain(each, names=key == "properties" and not names)
        for key, each in value.items()
        if names or key not in EXPLAINS
    }


def references(value: Any) -> Iterable[str]:
    """Yield every reference in `value`."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)


def cut_schema(whole: GraphQLSchema) -> GraphQLSchema:
    """Return the schema with the fields in `FIELDS`, and of what they lead to whatever has no types of its own."""
    user = GraphQLObjectType("User", fields_of(whole, "User"))
    query = GraphQLObjectType("Query", {"viewer": GraphQLField(user)})
    mutation_field = fields_of(whole, "Mutation")["minimizeComment"]
    payload = GraphQLObjectType(
        "MinimizeCommentPayload", fields_of(whole, "MinimizeCommentPayload", ("clientMutationId",))
    )
    mutation = GraphQLObjectType("Mutation", {"minimizeComment": GraphQLField(payload, mutation_field.args)})
    return GraphQLSchema(query=query, mutation=mutation)


def fields_of(whole: GraphQLSchema, name: str, wanted: tuple[str, ...] = ()) -> Mapping[str, GraphQLField]:
    """Return the wanted fields of an object type."""
    found = whole.type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return {field: found.fields[field] for field in wanted or FIELDS[name]}


def origin(package: Path) -> dict[str, str]:
    """Return which package this is."""
    about = json.loads(member(package, "package.json"))
    return {"package": f"npm {about['name']} {about['version']}"}


def licence(package: Path, name: str) -> str:
    """Return the licence's text."""
    return member(package, name).strip()


def member(package: Path, name: str) -> str:
    """Return a file of an npm package."""
    with tarfile.open(package) as archive:
        file = archive.extractfile(f"package/{name}")
        assert file is not None
        return file.read().decode()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
