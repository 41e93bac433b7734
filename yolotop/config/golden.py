"""What a deployment's table says of its baseline: ``golden`` and ``tolerance``.

Owns both keys, and whether image and baseline belong together. It must not know the
form of a baseline's file, or what is compared.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Final

from yolotop.config.baseline import Unreadable, read
from yolotop.config.problems import Scope, kind_of
from yolotop.config.reach import existing_file
from yolotop.config.table import Table, as_integer, as_share, as_text
from yolotop.model import Baseline, Tolerance
from yolotop.text import clean

FOLDER: Final = "golden"
"""Beside the config file."""
LARGEST_IMAGE: Final = 20 * 1024 * 1024
"""As much as a probe may carry."""
TOLERANCE_KEYS: Final = tuple(field.name for field in fields(Tolerance))
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def as_golden(value: object, base: Path | None) -> tuple[Path, Baseline]:
    """The baseline in the file that the key names. ValueError: it names none.

    A file that is gone or broken is a baseline with a fault: one bad file of one
    deployment must not keep a whole fleet from being measured.
    """
    text = as_text(value)
    if not text or "\0" in text:
        raise ValueError(f'is not a path; write one such as "{FOLDER}/dock-cam.json"')
    path = Path(text) if base is None else base / text
    try:
        path = Path(existing_file(text, base, "the baseline"))
        return path, read(path)
    except Unreadable as error:
        fault = f"{clean(str(path), limit=200)}: {error}"
    except ValueError as error:
        fault = f"golden {error}"
    return path, Baseline("", 0.0, (), fault=fault)


def read_golden(
    table: Table, scope: Scope, image: str, base: Path | None
) -> Baseline | None:
    """The baseline of a deployment that asks with ``image``."""
    found = table.read("golden", None, lambda value: as_golden(value, base))
    if found is None:
        return None
    path, baseline = found
    if image == "synthetic":
        scope.problem(
            "golden needs the image that was pinned; set image to its file, or remove "
            "golden",
            "golden",
        )
    elif baseline.fault:
        scope.warn(
            f"{baseline.fault}; until it is pinned anew with `yolotop golden set NAME "
            "IMAGE`, or the key is removed, each of its predict probes fails",
            "golden",
        )
    elif digest_of(Path(image)) not in (None, baseline.image_sha256):
        scope.warn(
            f"golden {clean(str(path))} was pinned with another image than "
            f"{clean(image)} is now, so no answer can be compared; pin it anew with "
            "`yolotop golden set NAME IMAGE`",
            "golden",
        )
    return baseline


def read_tolerance(table: Table, scope: Scope) -> Tolerance:
    """``[deployment.tolerance]``, or that of ``[defaults]``."""
    value = table.values.get("tolerance", table.defaults.get("tolerance", {}))
    own = "tolerance" in table.values
    if not isinstance(value, Mapping):
        if own:
            scope.problem(f"tolerance is {kind_of(value)}; write a table", "tolerance")
        return Tolerance()
    inner = scope.child(f"{scope.subject} tolerance".strip(), "tolerance")
    # Problems of inherited ones were reported where they stand.
    found = Table(value, inner, {}) if own else Table({}, inner, value)
    found.only(TOLERANCE_KEYS)
    plain = Tolerance()

    def share(key: str, fallback: float) -> float:
        return found.read(key, fallback, as_share)

    def count(key: str, fallback: int) -> int:
        return found.read(key, fallback, lambda value: as_integer(value, 0, 999))

    return Tolerance(
        missed=count("missed", plain.missed),
        extra=count("extra", plain.extra),
        confidence=share("confidence", plain.confidence),
        iou=share("iou", plain.iou),
        keypoint=share("keypoint", plain.keypoint),
        depth=share("depth", plain.depth),
        pixels=share("pixels", plain.pixels),
    )


def file_name(name: str) -> str:
    """What the file of a deployment is called; any name comes to a safe one."""
    if _PLAIN.fullmatch(name):
        return f"{name}.json"
    digest = hashlib.blake2s(name.encode(), digest_size=4).hexdigest()
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:48]
    return f"{plain or 'deployment'}-{digest}.json"


def digest_of(path: Path) -> str | None:
    """SHA-256 of an image's bytes; ``None`` where it cannot be read as one."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_IMAGE + 1)
    except OSError:
        return None
    return None if len(data) > LARGEST_IMAGE else hashlib.sha256(data).hexdigest()
