"""JSON of which the text is kept: the members of an object and the elements of an array as they are written."""

import json
import re

WHITE = re.compile(r"[ \t\r\n]*")
STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.S)
BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]', re.S)
SCALAR = re.compile(r"[^ \t\r\n,}\]]+")


class Malformed(Exception):
    """The text is not a JSON value where one was expected."""


def skip_white(text, at):
    return WHITE.match(text, at).end()


def value_end(text, at):
    """End of the JSON value that begins at `at`; the inside of objects and arrays is only balanced."""
    first = text[at : at + 1]
    if first == '"':
        found = STRING.match(text, at)
        if not found:
            raise Malformed("open string")
        return found.end()
    if first and first in "{[":
        open_brackets = []
        for found in BRACKET.finditer(text, at):
            token = found.group()
            if token in "{[":
                open_brackets.append(token)
            elif token in "}]":
                if open_brackets.pop() + token not in ("{}", "[]"):
                    raise Malformed("brackets cross")
                if not open_brackets:
                    return found.end()
        raise Malformed("open bracket")
    found = SCALAR.match(text, at)
    if not found:
        raise Malformed("no value")
    return found.end()


def members(raw):
    """The members of a JSON object: decoded key -> text of the value, the last of duplicates.

    None when the value is not an object.
    """
    all_members = pairs(raw)
    return None if all_members is None else dict(all_members)


def pairs(raw):
    """The members of a JSON object in order, duplicates too; None when the value is not an object."""
    if raw is None or not raw.startswith("{"):
        return None
    result = []
    at = skip_white(raw, 1)
    while raw[at : at + 1] != "}":
        end = value_end(raw, at)
        key = string(raw[at:end])
        if key is None:
            raise Malformed("a key is not a string")
        at = skip_white(raw, end)
        if raw[at : at + 1] != ":":
            raise Malformed("no colon")
        at = skip_white(raw, at + 1)
        end = value_end(raw, at)
        result.append((key, raw[at:end]))
        at = skip_white(raw, end)
        if raw[at : at + 1] == ",":
            at = skip_white(raw, at + 1)
        elif raw[at : at + 1] != "}":
            raise Malformed("no comma")
    return result


def elements(raw):
    """The elements of a JSON array as texts; None when the value is not an array."""
    if raw is None or not raw.startswith("["):
        return None
    result = []
    at = skip_white(raw, 1)
    while raw[at : at + 1] != "]":
        end = value_end(raw, at)
        result.append(raw[at:end])
        at = skip_white(raw, end)
        if raw[at : at + 1] == ",":
            at = skip_white(raw, at + 1)
        elif raw[at : at + 1] != "]":
            raise Malformed("no comma")
    return result


def at_path(raw, *keys):
    """Text of the value at a path of object keys, or None."""
    for key in keys:
        raw = (members(raw) or {}).get(key)
    return None if raw == "null" else raw


def string(raw):
    """The string that a JSON text holds; None for anything else. Half surrogates become U+FFFD."""
    if raw is None or not raw.startswith('"'):
        return None
    try:
        text = json.loads(raw, strict=False)
    except ValueError as error:
        raise Malformed(str(error)) from error
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)


def is_exact(raw):
    """A string without half surrogates."""
    return raw.startswith('"') and not any("\ud800" <= char <= "\udfff" for char in json.loads(raw))


def boolean(raw):
    return {"true": True, "false": False}.get(raw)


def integer(raw, bits):
    if raw is None or not re.fullmatch(r"-?(0|[1-9][0-9]{0,19})", raw):
        return None
    number = int(raw)
    return number if -(2 ** (bits - 1)) <= number < 2 ** (bits - 1) else None


def strings(raw):
    """A list of strings; None when any element is something else."""
    items = elements(raw)
    if items is None:
        return None
    items = [string(item) for item in items]
    return None if None in items else items


def map_of(raw, value):
    """A map of the members whose values `value` understands."""
    entries = members(raw)
    if entries is None:
        return None
    entries = {key: value(text) for key, text in entries.items()}
    return {key: read for key, read in entries.items() if read is not None}
