"""The request in Python, with requests: what people write such calls with.

Owns Python's words and quotes. The standard library alone would need twenty lines for a
form.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from yolotop.model import SecretRef
from yolotop.model.preset import Carrier, Encoding
from yolotop.view.code.call import Call


def python(call: Call) -> str:
    """The text."""
    key = call.key if call.carrier is not None else None
    lines = [*_imports(call, key), ""]
    if key is not None and key.scheme != "env":
        lines.append(f"key = Path({quoted(key.target)}).read_text().strip()")
    indent = ""
    if call.encoding is Encoding.JSON:
        lines.append(f'with open({quoted(call.picture)}, "rb") as file:')
        lines.append("    picture = base64.b64encode(file.read()).decode()")
    elif call.has_picture:
        lines.append(f'with open({quoted(call.picture)}, "rb") as picture:')
        indent = "    "
    lines += [
        f"{indent}answer = requests.{call.method.lower()}(",
        *(f"{indent}    {argument}," for argument in _arguments(call)),
        f"{indent})",
        "answer.raise_for_status()",
    ]
    if call.listed:
        lines += [
            'for found in answer.json()["images"][0]["results"]:',
            '    print(found["name"], found["confidence"], found["box"])',
        ]
    else:
        lines.append("print(answer.json())")
    return "\n".join([*lines, ""])


def _imports(call: Call, key: SecretRef | None) -> list[str]:
    standard: list[str] = []
    if call.encoding is Encoding.JSON:
        standard.append("import base64")
        if call.carrier is Carrier.FORM:
            standard.append("import json")
    if key is not None:
        standard.append(
            "import os" if key.scheme == "env" else "from pathlib import Path"
        )
    return [*standard, "", "import requests"] if standard else ["import requests"]


def _arguments(call: Call) -> Iterator[str]:
    yield quoted(call.url)
    if call.carrier is Carrier.QUERY:
        yield f"params={{{quoted(call.auth.name)}: {_key(call)}}}"
    headers = [f"{quoted(name)}: {quoted(text)}" for name, text in call.headers]
    if call.carrier is Carrier.BEARER:
        headers.append(f'"Authorization": f"Bearer {{{_key(call)}}}"')
    elif call.carrier is Carrier.HEADER:
        headers.append(f"{quoted(call.auth.name)}: {_key(call)}")
    if headers:
        yield f"headers={{{', '.join(headers)}}}"
    yield from _data(call)
    yield f"timeout={call.timeout_s:g}"
    if not call.verify:
        yield "verify=False"
    elif call.ca:
        yield f"verify={quoted(call.ca)}"


def _data(call: Call) -> Iterator[str]:
    match call.encoding:
        case Encoding.MULTIPART:
            fields = [f"{quoted(name)}: {_value(value)}" for name, value in call.fields]
            if call.carrier is Carrier.FORM:
                fields.append(f"{quoted(call.auth.name)}: {_key(call)}")
            if fields:
                yield f"data={{{', '.join(fields)}}}"
            yield f"files={{{quoted(call.field)}: picture}}"
        case Encoding.RAW:
            yield "data=picture"
        case Encoding.JSON:
            yield f"data={_body(call)}"


def _body(call: Call) -> str:
    before, after = call.body
    if call.carrier is Carrier.FORM:
        name = quoted("{" + json.dumps(call.auth.name) + ": ")
        rest = quoted(f", {before.removeprefix('{')}")
        key = f"json.dumps({_key(call)})"
        return f"{name} + {key} + {rest} + picture + {quoted(after)}"
    return f"{quoted(before)} + picture + {quoted(after)}"


def _value(text: str) -> str:
    """A number as one, a text in quotes."""
    try:
        float(text)
    except ValueError:
        return quoted(text)
    return text if text.replace(".", "").replace("-", "").isdigit() else quoted(text)


def _key(call: Call) -> str:
    # Single quotes: before Python 3.12 an f-string could not hold its own kind.
    key = call.key
    assert key is not None
    return f"os.environ['{key.target}']" if key.scheme == "env" else "key"


def quoted(text: str) -> str:
    """A Python string literal, in double quotes where that is as short."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return repr(text)
