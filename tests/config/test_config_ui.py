"""``[ui]`` and ``[keymap]``: every key, its shape, its environment variable."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from yolotop.config.schema import IMAGES, SYMBOLS, VIEWS, Config, UiSettings

Read = Callable[..., Config]
Refused = Callable[..., str]


def test_every_key_arrives(read: Read) -> None:
    ui = read(
        '[ui]\nview = "map"\nsymbols = "block"\nmouse = false\nrefresh = "500ms"\n'
        'low_bandwidth = true\n[keymap]\nprobe = "f5"\nlog.older = ["b", "b", "up"]\n'
        '"list.up" = []\n'
    ).ui
    assert ui == UiSettings(
        view="map",
        symbols="block",
        mouse=False,
        refresh_s=0.5,
        low_bandwidth=True,
        keymap={"probe": ("f5",), "log.older": ("b", "up"), "list.up": ()},
    )
    with pytest.raises(TypeError):
        ui.keymap["probe"] = ("x",)  # type: ignore[index]
    assert hash(ui) == hash(ui)


def test_variables_stand_in_for_keys(read: Read) -> None:
    env = {
        "YOLOTOP_UI_VIEW": "table",
        "YOLOTOP_UI_REFRESH": "5s",
        "YOLOTOP_UI_MOUSE": "false",
        "YOLOTOP_UI_LOW_BANDWIDTH": "1",
    }
    ui = read('[ui]\nview = "map"\n[keymap]\nprobe = "f5"\n', env).ui
    assert (ui.view, ui.refresh_s, ui.mouse, ui.low_bandwidth) == (
        "table",
        5.0,
        False,
        True,
    )
    assert ui.keymap == {"probe": ("f5",)}


@pytest.mark.parametrize("value", VIEWS)
def test_views(read: Read, value: str) -> None:
    assert read(f'[ui]\nview = "{value}"\n').ui.view == value


@pytest.mark.parametrize("value", IMAGES)
def test_images(read: Read, value: str) -> None:
    assert read(f'[ui]\nimages = "{value}"\n').ui.images == value


@pytest.mark.parametrize("value", SYMBOLS)
def test_symbols(read: Read, value: str) -> None:
    assert read(f'[ui]\nsymbols = "{value}"\n').ui.symbols == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[ui]\nview = "cardz"', 'did you mean "cards"?'),
        ('[ui]\nsymbols = "unicode"', "known are auto, braille, block, ascii"),
        ('[ui]\nmouse = "no"', "write true or false"),
        ('[ui]\nrefresh = "100ms"', "200ms to 1m are possible"),
        ('[ui]\nrefresh = "2m"', "200ms to 1m are possible"),
        ("[ui]\nrefresh = 1", "write a duration"),
        ("keymap = 3", "write it as a section, [keymap]"),
        ("[keymap]\nprobe = 5", 'probe is an integer; write a key such as "f"'),
        ('[keymap]\nprobe = ["f", 5]', "probe [1] is an integer"),
        ('[keymap]\nprobe = ""', "is not a key"),
        ('[keymap]\nprobe = "a b"', "is not a key"),
        ('[keymap]\nprobe = "\\u001b[31m"', "is not a key"),
        ('[keymap]\n"No Such" = "f"', "is not the id of an action"),
        (f"[keymap]\nprobe = {['f'] * 9!r}".replace("'", '"'), "8 are the most"),
    ],
)
def test_what_is_refused(refused: Refused, text: str, said: str) -> None:
    message = refused(text)
    assert said in message
    assert message.startswith("yolotop.toml:")
    assert "\x1b" not in message


def test_a_flood_of_keys_is_one_problem(refused: Refused) -> None:
    many = "\n".join(f'a{number} = "f"' for number in range(300))
    message = refused(f"[keymap]\n{many}\n")
    assert message.count("\n") == 0
    assert "200 are the most" in message
