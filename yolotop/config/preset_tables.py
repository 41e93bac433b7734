"""One preset, read from its tables.

Owns the keys of a preset and their rules. It must not know which presets there are, nor
what a dialect does with them. ``[preset.NAME]`` of a config file, the tables of a
``[[deployment]]`` and the files that ship have the same keys, checked by these rules.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Final, TypeVar

from yolotop.config.problems import Scope, kind_of, nearest
from yolotop.config.rules import (
    as_conditions,
    as_json,
    as_limited,
    as_method,
    as_name,
    as_path,
    as_pointer,
    as_says,
    as_scale,
    as_source,
    as_status,
    as_statuses,
    header_pairs,
    text_pairs,
)
from yolotop.config.schema import METRICS_PROFILES
from yolotop.config.table import Table, as_choice, as_label
from yolotop.judge import pointers
from yolotop.model import ErrorKind, ServerTimes
from yolotop.model.preset import (
    Auth,
    BoxForm,
    Carrier,
    Encoding,
    Liveness,
    Metrics,
    Preset,
    Question,
    Reading,
    Refusal,
    Time,
)

_T = TypeVar("_T")
_P = TypeVar("_P", Liveness, Question)

PART_KEYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "auth": ("carrier", "name"),
        "liveness": ("method", "path", "holds", "not_ready"),
        "request": (
            "method",
            "path",
            "encoding",
            "field",
            "template",
            "settings",
            "scale",
            "query",
            "headers",
        ),
        "response": (
            "holds",
            "detections",
            "label",
            "confidence",
            "box",
            "form",
            "unit",
            "scale",
            "times",
            "facts",
            "alive",
        ),
        "metrics": ("path", "profile"),
    }
)
"""The tables of a preset and their keys."""
PARTS: Final = ("auth", "liveness", "request", "response", "refusals")
"""Those that a ``[[deployment]]`` may have too; metrics has ``metrics_url`` there."""
KEYS: Final = ("base", "dialect", "title", *PART_KEYS, "refusals")
CODE: Final = ("generic", "ultralytics", "oip")
"""What there is code for: the values of ``dialect`` in a preset."""
SETTINGS: Final = ("conf", "iou", "imgsz", "model")
TIMES: Final = tuple(field.name for field in fields(ServerTimes))
UNITS: Final = ("pixel", "share")
SAYABLE: Final = tuple(
    str(kind)
    for kind in (
        ErrorKind.HTTP,
        ErrorKind.BAD_RESPONSE,
        ErrorKind.UNAUTHORIZED,
        ErrorKind.RATE_LIMITED,
        ErrorKind.COLD_START,
        ErrorKind.TIMEOUT,
        ErrorKind.CLIENT_ERROR,
        ErrorKind.MODEL_NOT_FOUND,
        ErrorKind.OVERLOADED,
        ErrorKind.HANDLER_ERROR,
        ErrorKind.NOT_READY,
    )
)
"""What a server can say by an answer; that a name has no address it cannot."""
MOST_REFUSALS: Final = 50
_REFUSAL_KEYS: Final = ("kind", "status", "says")
_TIME_KEYS: Final = ("at", "factor")


# --- one preset ----------------------------------------------------------------------


def read_preset(
    name: str, values: Mapping[str, object], base: Preset, scope: Scope
) -> Preset:
    """The preset in ``values``, on top of ``base``; problems go to ``scope``."""
    table = Table(values, scope, {})
    table.only(KEYS)
    found = with_parts(base, values, scope)
    metrics = _inner(values, "metrics", scope)
    return replace(
        found,
        name=name,
        dialect=table.choice("dialect", found.dialect, known=CODE),
        title=table.read("title", name, as_label),
        metrics=found.metrics if metrics is None else _metrics(metrics, found.metrics),
    )


def with_parts(base: Preset, values: Mapping[str, object], scope: Scope) -> Preset:
    """``base`` with the tables of :data:`PARTS` that are in ``values``."""
    found = base
    if (table := _inner(values, "auth", scope)) is not None:
        found = replace(found, auth=_auth(table, found.auth))
    if "liveness" in values:
        liveness = _or_none(values, "liveness", scope, found.liveness, _liveness)
        found = replace(found, liveness=liveness)
    if "request" in values:
        question = _or_none(values, "request", scope, found.question, _question)
        found = replace(found, question=question)
    if (table := _inner(values, "response", scope)) is not None:
        found = replace(found, reading=_reading(table, found.reading))
        if found.dialect == "ultralytics":
            # The same reading where nothing is said, and pointers where it is.
            found = replace(found, dialect="generic")
    if "refusals" in values:
        rules = _refusals(values["refusals"], scope)
        found = replace(found, refusals=(*rules, *base.refusals))
    return found


def _inner(values: Mapping[str, object], key: str, scope: Scope) -> Table | None:
    value = values.get(key, {})
    if not isinstance(value, Mapping):
        scope.problem(f"{key} is {kind_of(value)}; write a table", key)
        return None
    if key not in values:
        return None
    table = Table(value, scope.child(f"{scope.subject} {key}".strip(), key), {})
    table.only(PART_KEYS[key])
    return table


def _or_none(
    values: Mapping[str, object],
    key: str,
    scope: Scope,
    base: _P | None,
    read: Callable[[Table, _P | None], _P],
) -> _P | None:
    if values[key] is False:
        return None
    if values[key] is True:
        scope.problem(f"{key} is true; write a table, or false for none", key)
        return base
    table = _inner(values, key, scope)
    return base if table is None else read(table, base)


def _auth(table: Table, base: Auth) -> Auth:
    carrier = Carrier(table.choice("carrier", base.carrier, known=tuple(Carrier)))
    name = table.read("name", base.name, as_name)
    if carrier is Carrier.BEARER and "name" in table.values:
        table.scope.problem("name is of no use to a bearer key; remove it", "name")
    elif carrier is not base.carrier is Carrier.BEARER and "name" not in table.values:
        table.scope.problem(f"name is missing; a {carrier} has one", "carrier")
    return Auth(carrier, name)


def _liveness(table: Table, base: Liveness | None) -> Liveness:
    base = base or Liveness()
    return Liveness(
        method=table.read("method", base.method, as_method),
        path=table.read("path", base.path, as_path),
        holds=table.read("holds", base.holds, as_conditions),
        not_ready=table.read("not_ready", base.not_ready, as_statuses),
    )


def _question(table: Table, base: Question | None) -> Question:
    base = base or Question()
    encoding = Encoding(table.choice("encoding", base.encoding, known=tuple(Encoding)))
    pointed = encoding is Encoding.JSON
    # The field of a form is a name, and that of a template a pointer.
    same = pointed == (base.encoding is Encoding.JSON)
    field = base.field if same else ""
    if not field and "field" not in table.values and encoding in _WITH_FIELD:
        what = "a pointer into the template" if pointed else "the name of the part"
        table.scope.problem(f"field is missing; write {what}", "encoding")
    return Question(
        method=table.read("method", base.method, as_method),
        path=table.read("path", base.path, as_path),
        encoding=encoding,
        field=table.read("field", field, as_pointer if pointed else as_name),
        template=table.read("template", base.template, as_json),
        settings=table.read(
            "settings",
            base.settings if same else (),
            lambda value: _settings(value, pointed=pointed),
        ),
        scale=table.read("scale", base.scale, as_scale),
        query=table.read("query", base.query, text_pairs),
        headers=table.read("headers", base.headers, header_pairs),
    )


_WITH_FIELD: Final = (Encoding.MULTIPART, Encoding.JSON)


def _settings(value: object, *, pointed: bool) -> tuple[tuple[str, str], ...]:
    pairs = text_pairs(value)
    for name, theirs in pairs:
        as_choice(name, SETTINGS)
        (as_pointer if pointed else as_name)(theirs)
    return pairs


def _reading(table: Table, base: Reading) -> Reading:
    return Reading(
        holds=table.read("holds", base.holds, as_conditions),
        detections=table.read("detections", base.detections, _as_list_pointer),
        label=table.read("label", base.label, as_pointer),
        confidence=table.read("confidence", base.confidence, as_pointer),
        box=table.read("box", base.box, _as_box),
        form=BoxForm(table.choice("form", base.form, known=tuple(BoxForm))),
        unit=table.choice("unit", base.unit, known=UNITS),
        scale=table.read("scale", base.scale, as_scale),
        times=table.read("times", base.times, _times),
        facts=table.read("facts", base.facts, _facts),
        alive=table.read("alive", base.alive, as_source),
    )


def _as_list_pointer(value: object) -> str | None:
    return as_pointer(value)


def _as_box(value: object) -> str:
    """One pointer, or four in the order that ``form`` says."""
    text = as_limited(value)
    pointers = text.split(" ") if text else [""]
    if len(pointers) not in (1, 4):
        raise ValueError(
            f"holds {len(pointers)} pointers; write one, or four with a blank between"
        )
    for pointer in pointers:
        as_pointer(pointer)
    return text


def _times(value: object) -> tuple[Time, ...]:
    if not isinstance(value, Mapping):
        raise ValueError(  # noqa: TRY004 - a rule has one way to say no
            f'is {kind_of(value)}; write a table such as {{ inference = "/ms" }}'
        )
    found: list[Time] = []
    for part, where in value.items():
        as_choice(part, TIMES)
        if not isinstance(where, Mapping):
            found.append(Time(part, as_source(where)))
            continue
        for key in where:
            as_choice(key, _TIME_KEYS)
        at = as_source(where.get("at", ""))
        found.append(Time(part, at, as_scale(where.get("factor", 1.0))))
    return tuple(found)


def _facts(value: object) -> tuple[tuple[str, str], ...]:
    pairs = text_pairs(value)
    for name, where in pairs:
        as_label(name)
        as_source(where)
    return pairs


def _refusals(value: object, scope: Scope) -> tuple[Refusal, ...]:
    if not isinstance(value, list) or len(value) > MOST_REFUSALS:
        scope.problem(
            f"refusals must be an array of at most {MOST_REFUSALS} tables such as "
            '{ status = 503, says = ["busy"], kind = "overloaded" }',
            "refusals",
        )
        return ()
    found: list[Refusal] = []
    for index, one in enumerate(value):
        inner = scope.child(
            f"{scope.subject} refusals {index + 1}".strip(), "refusals", index
        )
        if not isinstance(one, Mapping):
            inner.problem(f"is {kind_of(one)}; write a table")
            continue
        table = Table(one, inner, {})
        table.only(_REFUSAL_KEYS)
        if "kind" not in one:
            inner.problem(f"kind is missing; {nearest('', SAYABLE)}")
        if "status" not in one and not one.get("says"):
            inner.problem("fits every answer; give it a status, or what it says")
        found.append(
            Refusal(
                kind=table.choice("kind", "http", known=SAYABLE),
                status=_optional(table, "status", as_status),
                says=table.read("says", (), as_says),
            )
        )
    return tuple(found)


def _optional(table: Table, key: str, rule: Callable[[object], _T]) -> _T | None:
    return table.read(key, None, rule)


def _metrics(table: Table, base: Metrics | None) -> Metrics:
    base = base or Metrics()
    return Metrics(
        path=table.read("path", base.path, as_path),
        profile=table.choice("profile", base.profile, known=METRICS_PROFILES),
    )


def names_a_model(preset: Preset) -> bool:
    """Whether it cannot be asked without the model's name.

    That is where a path or a parameter has it, or the form or the template a place for
    it that is empty.
    """
    texts = [how.path for how in (preset.liveness, preset.question) if how is not None]
    question = preset.question
    if question is not None:
        texts += [value for _, value in question.query]
        place = dict(question.settings).get("model")
        if place is not None and question.encoding is not Encoding.JSON:
            return True
        if place is not None:
            template: object = json.loads(question.template)
            return pointers.found(template, place) in ("", pointers.MISSING)
    return any("{model}" in text for text in texts)
