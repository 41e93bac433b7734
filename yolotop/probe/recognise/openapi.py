"""Where an application takes an image, as its OpenAPI page says.

Owns reading paths, forms and references of OpenAPI 3. Must not know servers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from yolotop.text import clean

_DEEPEST: Final = 4
_LIKELY: Final = ("predict", "infer", "detect", "score", "classify", "segment")


@dataclass(frozen=True, slots=True)
class Upload:
    """A POST with a file in a form: its path, the file's field, the other fields."""

    path: str
    field: str
    others: tuple[str, ...] = ()


def upload_of(page: Mapping[str, object]) -> Upload | None:
    """The most likely upload of an image, or ``None``.

    One whose path says what it does comes before others, the shortest path first.
    """
    found = sorted(_uploads(page), key=lambda one: (_unlikely(one), len(one.path)))
    return found[0] if found else None


def _unlikely(upload: Upload) -> bool:
    return not any(word in upload.path.lower() for word in _LIKELY)


def _uploads(page: Mapping[str, object]) -> Iterator[Upload]:
    for path, about in _items(page.get("paths")):
        body = _at(about, "post", "requestBody", "content", "multipart/form-data")
        schema = _resolved(page, _at(body, "schema"))
        fields = dict(_items(_at(schema, "properties")))
        for name, kind in fields.items():
            if _is_file(_resolved(page, kind)):
                others = tuple(clean(key, limit=80) for key in fields if key != name)
                yield Upload(clean(path, limit=120), clean(name, limit=80), others)
                break


def _is_file(kind: object) -> bool:
    """Until 0.164 FastAPI wrote ``format: binary``, since then a media type."""
    if _at(kind, "format") == "binary":
        return True
    return _at(kind, "contentMediaType") == "application/octet-stream"


def _resolved(page: Mapping[str, object], value: object) -> object:
    for _ in range(_DEEPEST):
        choices = _at(value, "anyOf")
        if isinstance(choices, list) and choices:
            # An optional file is a file or null.
            value = next((one for one in choices if _is_file(one)), choices[0])
        where = _at(value, "$ref")
        if not isinstance(where, str) or not where.startswith("#/"):
            break
        value = _at(page, *where[2:].split("/"))
    return value


def _at(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _items(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str):
                yield key, item
