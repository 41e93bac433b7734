"""A config file in a folder of its own, and an environment that is nobody's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from yolotop.config.load import parse
from yolotop.config.problems import InvalidConfig
from yolotop.config.schema import Config

Read = Callable[..., Config]
Refused = Callable[..., str]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Parse a text as if it stood in ``tmp_path/yolotop.toml``."""

    def parse_here(text: str, env: Mapping[str, str] | None = None) -> Config:
        return parse(text, path=tmp_path / "yolotop.toml", env=env or {})

    return parse_here


@pytest.fixture
def refused(read: Read, tmp_path: Path) -> Refused:
    """The message of the refusal, file names shortened to their last part."""

    def message(text: str, env: Mapping[str, str] | None = None) -> str:
        with pytest.raises(InvalidConfig) as caught:
            read(text, env)
        return caught.value.message.replace(f"{tmp_path}/", "")

    return message
