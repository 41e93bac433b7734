"""The request as a cURL command for a POSIX shell.

Owns cURL's options and how it reads them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

from yolotop.model.preset import Carrier, Encoding
from yolotop.view.code.call import Call
from yolotop.view.code.shell import shell


def curl(call: Call) -> str:
    """The text."""
    command = " \\\n  ".join(_parts(call)) + "\n"
    if call.encoding is not Encoding.JSON:
        return command
    return _piped(call) + command


def _parts(call: Call) -> Iterator[str]:
    # --globoff: brackets and braces in a URL are meant as they are.
    first = f"curl --fail-with-body --globoff --max-time {call.timeout_s:g}"
    usual = "GET" if call.encoding is Encoding.NONE else "POST"
    if call.method != usual:
        first += f" --request {call.method}"
    yield first if call.verify else f"{first} --insecure"
    if call.verify and call.ca:
        yield f"--cacert {shell(call.ca)}"
    if call.socket:
        yield f"--unix-socket {shell(call.socket)}"
    for name, text in call.headers:
        yield f"-H {shell(f'{name}: {text}')}"
    if call.carrier is Carrier.BEARER:
        yield f'-H "Authorization: Bearer {_key(call)}"'
    elif call.carrier is Carrier.HEADER:
        yield f'-H {shell(f"{call.auth.name}: ")}"{_key(call)}"'
    yield from _data(call)
    if call.carrier is Carrier.QUERY:
        join = "&" if "?" in call.url else "?"
        name = quote(call.auth.name, safe="")
        yield f'{shell(f"{call.url}{join}{name}=")}"{_key(call)}"'
    else:
        yield shell(call.url)


def _data(call: Call) -> Iterator[str]:
    match call.encoding:
        case Encoding.MULTIPART:
            yield f"-F {shell(f'{call.field}=@{_form_path(call.picture)}')}"
            for name, value in call.fields:
                yield f"-F {shell(f'{name}={value}')}"
            if call.carrier is Carrier.FORM:
                # --form-string: an @ or < at its beginning is meant as it is.
                yield f'--form-string {shell(f"{call.auth.name}=")}"{_key(call)}"'
        case Encoding.RAW:
            yield f"--data-binary {shell(f'@{call.picture}')}"
        case Encoding.JSON:
            yield "--data-binary @-"


def _piped(call: Call) -> str:
    """The body on its way in: 70 KB of base64 are too long for an argument."""
    before, after = call.body
    start = shell(before)
    if call.carrier is Carrier.FORM:
        name = shell("{" + json.dumps(call.auth.name) + ': "')
        rest = shell(f'", {before.removeprefix("{")}')
        start = f'{name} "{_key(call)}" {rest}'
    return (
        f"{{ printf %s {start}\n"
        f"  base64 < {shell(call.picture)} | tr -d '\\n'\n"
        f"  printf %s {shell(after)}; }} |\n"
    )


def _key(call: Call) -> str:
    key = call.key
    assert key is not None
    if key.scheme == "env":
        return f"${key.target}"
    return f"$(cat {shell(key.target)})"


def _form_path(path: str) -> str:
    """A path as curl's ``-F`` reads it: in quotes where ``;`` or ``,`` would end it."""
    if not set(path) & set('";,\\'):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
