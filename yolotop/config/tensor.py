"""``[deployment.tensor]``: what goes into a server of tensors and comes out of it.

Owns the keys of that table and their ranges. It must not know the other keys of a
deployment, or how a tensor is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from yolotop.config.problems import Scope, kind_of, quoted
from yolotop.config.table import Table, as_text
from yolotop.model.preset import Head, Task, Tensor

TENSOR_KEYS: Final = (
    "input",
    "shape",
    "datatype",
    "output",
    "head",
    "task",
    "keypoints",
    "binary",
)
DATATYPES: Final = ("FP32", "FP16", "UINT8", "BYTES")
"""As which a picture can be sent."""

_MOST_SIDES: Final = 4
_LONGEST_SIDE: Final = 8_192
_MOST_KEYPOINTS: Final = 1_000
_LONGEST_NAME: Final = 200
_USUAL: Final = Tensor()


def read_tensor(table: Table, scope: Scope) -> Tensor | None:
    """The tensor that is set, here or in the defaults; ``None`` for none."""
    if not table.has("tensor"):
        return None
    own = "tensor" in table.values
    value = table.values["tensor"] if own else table.defaults["tensor"]
    if not isinstance(value, Mapping):
        if own:
            scope.problem(f"tensor is {kind_of(value)}; write a table", "tensor")
        return None
    inner = scope.child(f"{scope.subject} tensor".strip(), "tensor")
    # Problems of an inherited table were reported where it stands.
    tensor = Table(value, inner, {}) if own else Table({}, inner, value)
    tensor.only(TENSOR_KEYS)
    return Tensor(
        input=tensor.read("input", _USUAL.input, _as_name),
        shape=tensor.read("shape", (), as_shape),
        datatype=tensor.choice("datatype", _USUAL.datatype, known=DATATYPES),
        output=tensor.read("output", _USUAL.output, _as_name),
        head=Head(tensor.choice("head", _USUAL.head, known=tuple(Head))),
        task=Task(tensor.choice("task", _USUAL.task, known=tuple(Task))),
        keypoints=tensor.read("keypoints", None, as_keypoints),
        binary=tensor.boolean("binary", fallback=False),
    )


def as_shape(value: object) -> tuple[int, ...]:
    """Sides as ``GET /v2/models/NAME`` tells them; ``-1`` where any will do.

    Servers tell ``[]`` where nobody told them: the usual.
    """
    if not isinstance(value, list) or len(value) > _MOST_SIDES:
        raise ValueError("must be up to four whole numbers, such as [1, 3, 640, 640]")
    for side in value:
        if isinstance(side, bool) or not isinstance(side, int):
            raise ValueError(f"holds {kind_of(side)}; write whole numbers")  # noqa: TRY004 - a rule has one way to say no
        if side != -1 and not 1 <= side <= _LONGEST_SIDE:
            raise ValueError(
                f"holds {quoted(side)}; 1 to {_LONGEST_SIDE} are possible, and -1 "
                "where any will do"
            )
    return tuple(value)


def as_keypoints(value: object) -> tuple[int, int]:
    """How many, and numbers of each: x and y, and mostly how visible."""
    shape = value if isinstance(value, list) else []
    if len(shape) != 2 or any(type(part) is not int for part in shape):
        raise ValueError("must be how many and numbers of each, such as [17, 3]")
    if not 1 <= shape[0] <= _MOST_KEYPOINTS or shape[1] not in (2, 3):
        raise ValueError(f"is {quoted(shape)}; each point has 2 or 3 numbers")
    return shape[0], shape[1]


def _as_name(value: object) -> str:
    text = as_text(value)
    if not text or not text.isprintable() or len(text) > _LONGEST_NAME:
        raise ValueError(
            f"must be 1 to {_LONGEST_NAME} printable characters, as the server says it"
        )
    return text
