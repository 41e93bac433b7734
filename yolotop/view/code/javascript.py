"""The request in JavaScript, with fetch as Node.js 20 has it.

Owns JavaScript's words and quotes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

from yolotop.model.preset import Carrier, Encoding
from yolotop.view.code.call import Call
from yolotop.view.code.shell import one_line, shell


def can_be_javascript(call: Call) -> bool:
    """fetch sets some headers itself, whatever it is told: the text would lie."""
    return not any(name.lower() == "host" for name, _ in call.headers)


def javascript(call: Call) -> str:
    """The text."""
    lines: list[str] = []
    key = call.key if call.carrier is not None else None
    if call.has_picture or (key is not None and key.scheme != "env"):
        lines += ['import { readFile } from "node:fs/promises";', ""]
    if not call.verify:
        lines.append('process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";')
    elif call.ca:
        lines.append(f"// Run with NODE_EXTRA_CA_CERTS={one_line(shell(call.ca))}")
    lines += _body(call)
    url = quoted(call.url)
    if call.carrier is Carrier.QUERY:
        join = "&" if "?" in call.url else "?"
        name = quoted(join + quote(call.auth.name, safe="") + "=")
        url = f"{url} + {name} + encodeURIComponent({_key(call)})"
    lines += [
        f"const answer = await fetch({url}, {{",
        *_options(call),
        "});",
        "if (!answer.ok) {",
        "  throw new Error(`HTTP ${answer.status}: ${await answer.text()}`);",
        "}",
    ]
    if call.listed:
        lines += [
            "const { images } = await answer.json();",
            "for (const { name, confidence, box } of images[0].results) {",
            "  console.log(name, confidence, box);",
            "}",
        ]
    else:
        lines.append("console.log(JSON.stringify(await answer.json(), null, 2));")
    return "\n".join([*lines, ""])


def _body(call: Call) -> Iterator[str]:
    picture = f"await readFile({quoted(call.picture)})"
    match call.encoding:
        case Encoding.MULTIPART:
            name = quoted(call.picture.replace("\\", "/").rpartition("/")[2])
            yield "const form = new FormData();"
            yield (f"form.append({quoted(call.field)}, new Blob([{picture}]), {name});")
            for key, value in call.fields:
                yield f"form.append({quoted(key)}, {quoted(value)});"
            if call.carrier is Carrier.FORM:
                yield f"form.append({quoted(call.auth.name)}, {_key(call)});"
            yield ""
        case Encoding.RAW:
            yield f"const picture = {picture};"
            yield ""
        case Encoding.JSON:
            yield f'const picture = ({picture}).toString("base64");'
            before, after = (quoted(text) for text in call.body)
            yield f"const body = JSON.parse({before} + picture + {after});"
            if call.carrier is Carrier.FORM:
                yield f"body[{quoted(call.auth.name)}] = {_key(call)};"
            yield ""


def _options(call: Call) -> Iterator[str]:
    yield f"  method: {quoted(call.method)},"
    bodies = {
        Encoding.MULTIPART: "form",
        Encoding.RAW: "picture",
        Encoding.JSON: "JSON.stringify(body)",
    }
    if call.encoding in bodies:
        yield f"  body: {bodies[call.encoding]},"
    headers = [f"{_name(name)}: {quoted(text)}" for name, text in call.headers]
    if call.carrier is Carrier.BEARER:
        headers.append(f"Authorization: `Bearer ${{{_key(call)}}}`")
    elif call.carrier is Carrier.HEADER:
        headers.append(f"{_name(call.auth.name)}: {_key(call)}")
    if headers:
        yield f"  headers: {{ {', '.join(headers)} }},"
    yield f"  signal: AbortSignal.timeout({round(call.timeout_s * 1000)}),"


def _name(name: str) -> str:
    return name if name.isidentifier() else quoted(name)


def _key(call: Call) -> str:
    key = call.key
    assert key is not None
    if key.scheme == "env":
        return f"process.env.{key.target}"
    return f'(await readFile({quoted(key.target)}, "utf8")).trim()'


def quoted(text: str) -> str:
    """A JavaScript string literal: JSON with all but ASCII escaped is one."""
    return json.dumps(text)
