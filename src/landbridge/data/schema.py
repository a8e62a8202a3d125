"""What the dictionary says, in the forms that others read: Table Schema for ``datapackage.json``, and tooltips.

Both come from the dictionary alone, so that reading, checking, the documentation, the descriptor and the map use the
same words. Table Schema is that of the Frictionless specifications (version 1).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from landbridge.data.dictionary import Column, Dictionary
from landbridge.data.keys import KEYS, key_columns
from landbridge.errors import Fault

__all__ = ["TOOLTIPS", "resources", "schema_faults", "tooltips", "write_schema"]

#: File of a package that holds the tooltips.
TOOLTIPS = "tooltips.json"

DESCRIPTOR = "datapackage.json"

#: Types of Table Schema for those of the dictionary; an empty cell is a missing value for all.
TYPES = {"id": "string", "text": "string", "choice": "string", "list": "string"}


def _field(column: Column) -> dict[str, Any]:
    """One column as a field of Table Schema; ``unit`` is ours, which the specification allows."""
    field: dict[str, Any] = {"name": column.name, "type": TYPES.get(column.type, column.type)}
    if column.unit:
        field["unit"] = column.unit
    field["description"] = column.meaning
    if column.type == "boolean":
        field |= {"trueValues": ["true", "yes", "1"], "falseValues": ["false", "no", "0"]}
    constraints: dict[str, Any] = {}
    if column.required:
        constraints["required"] = True
    if column.type == "id":
        constraints["unique"] = True
    for name, bound in (("minimum", column.minimum), ("maximum", column.maximum)):
        if bound is not None:
            constraints[name] = int(bound) if bound.is_integer() else bound
    if column.values:
        constraints["enum"] = list(column.values)
    if constraints:
        field["constraints"] = constraints
    return field


def resources(dictionary: Dictionary) -> list[dict[str, Any]]:
    """Return the resources of a data package: each table with its schema.

    Lists in one cell, divided by ``;``, are strings to Table Schema, and so cannot be its foreign keys.
    """
    told = []
    for table in dictionary.tables:
        schema: dict[str, Any] = {
            "fields": [_field(column) for column in dictionary.of(table)],
            "missingValues": [""],
        }
        if any(column.type == "id" for column in dictionary.of(table)) or (table in KEYS and table != "crosswalk"):
            schema["primaryKey"] = list(key_columns(dictionary, table))
        keys = [
            {"fields": column.name, "reference": {"resource": column.references[0], "fields": column.references[1]}}
            for column in dictionary.of(table)
            if column.references and column.type != "list"
        ]
        if keys:
            schema["foreignKeys"] = keys
        told.append({"name": table, "path": f"{table}.csv", "profile": "tabular-data-resource", "schema": schema})
    return told


def tooltips(dictionary: Dictionary) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what an interface shows of each column: its meaning, its unit, its choices, by table and column."""
    told: dict[str, dict[str, dict[str, Any]]] = {}
    for column in dictionary.columns:
        tip: dict[str, Any] = {"meaning": column.meaning}
        if column.unit:
            tip["unit"] = column.unit
        if column.values:
            tip["values"] = list(column.values)
        told.setdefault(column.table, {})[column.name] = tip
    return told


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def write_schema(folder: Path, dictionary: Dictionary) -> None:
    """Write the resources into ``datapackage.json`` and the tooltips beside it."""
    path = folder / DESCRIPTOR
    meta = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(_text({**meta, "profile": "data-package", "resources": resources(dictionary)}), encoding="utf-8")
    (folder / TOOLTIPS).write_text(_text(tooltips(dictionary)), encoding="utf-8")


def schema_faults(folder: Path, dictionary: Dictionary) -> list[Fault]:
    """Return where the descriptor or the tooltips of a package say other than its dictionary.

    A package need have neither: one that a user made by hand lists no resources.
    """
    faults: list[Fault] = []
    try:
        stated = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8")).get("resources")
    except (OSError, ValueError, AttributeError):
        stated = None  # told by `landbridge.data.read.read_descriptor`
    if stated is not None:
        wanted = {resource["name"]: resource for resource in resources(dictionary)}
        given = {r.get("name"): r for r in stated if isinstance(r, Mapping)} if isinstance(stated, list) else {}
        for name in [*wanted, *(n for n in given if n not in wanted)]:
            faults += _apart(name, wanted.get(name), given.get(name))
    path = folder / TOOLTIPS
    if path.is_file():
        try:
            shown = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            return [*faults, Fault(TOOLTIPS, "", "", "JSON", str(error))]
        for table, columns in tooltips(dictionary).items():
            for column, tip in columns.items():
                got = shown.get(table, {}).get(column) if isinstance(shown, Mapping) else None
                if got != tip:
                    faults.append(Fault(TOOLTIPS, f"{table}.{column}", "", "what dictionary.csv says", _short(got)))
    return faults


def _apart(name: str, wanted: Mapping[str, Any] | None, given: Mapping[str, Any] | None) -> list[Fault]:
    """Where one resource differs from the dictionary, by column."""
    if wanted is None or given is None:
        told = "a table of dictionary.csv" if wanted is None else "this table of dictionary.csv"
        return [Fault(DESCRIPTOR, "resources", str(name), told, str(name) if wanted is None else "nothing")]
    if wanted == given:
        return []
    faults = []
    schema = given.get("schema")
    fields = schema.get("fields") if isinstance(schema, Mapping) else None
    there = {f.get("name"): f for f in fields if isinstance(f, Mapping)} if isinstance(fields, list) else {}
    for field in wanted["schema"]["fields"]:
        got = there.get(field["name"])
        if got != field:
            row = f"{name}.{field['name']}"
            faults.append(Fault(DESCRIPTOR, row, "", "what dictionary.csv says", _short(got)))
    return faults or [Fault(DESCRIPTOR, str(name), "schema", "what dictionary.csv says", "other keys or columns")]


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."
