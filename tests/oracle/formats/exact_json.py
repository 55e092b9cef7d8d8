"""JSON as Python values, with every number kept as it was written.

`json` turns `12345678901234567890.0` into a float; an audit event's body has to survive as it is. Here a
number is a `Number`, which is its text.
"""

import json

encode_string = json.encoder.encode_basestring


class Number(str):
    """The text of a JSON number."""


DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=None)


def loads(text):
    """The value that `text` is."""
    return DECODER.decode(text)


def values(text):
    """The values that lie in `text` one after another, whatever white space or none is between them."""
    at, text = 0, text.removeprefix("\ufeff")
    while True:
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
        if at == len(text):
            return
        value, at = DECODER.raw_decode(text, at)
        yield value


def dumps(value):
    """`value` on one line, without spaces, as UTF-8 text."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return encode_string(value)
    if isinstance(value, dict):
        return "{" + ",".join(encode_string(k) + ":" + dumps(v) for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(dumps, value)) + "]"
    return json.dumps(value)
