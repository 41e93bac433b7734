"""docs/keys.md, made from the action table: ``python3 tools/write_keys.py``.

Owns the page's wording. A test holds the page in the repository to it.
"""

from __future__ import annotations

from pathlib import Path

from yolotop.tui.keymap import shown
from yolotop.tui.keys import CONTEXTS, DEEDS

PAGE = Path(__file__).parent.parent / "docs" / "keys.md"
HEAD = """\
# Keys

Made from the action table by `python3 tools/write_keys.py`; `?` shows the same in the \
terminal. Every key is one that every terminal sends.

Any of them can be changed in the config file, by the action's id:

```toml
[keymap]
probe = "P"
"log.tail" = ["end", "G"]
freeze = []          # no key at all
```

`yolotop config validate` says what of it does not count: an id that does not exist, a \
key that terminals do not send, a key that two actions want in one place. The default \
stays then. *Writing* actions do not exist with `--read-only`.
"""


def page() -> str:
    """The whole page."""
    out = [HEAD]
    groups = dict.fromkeys(deed.group for deed in DEEDS)
    for group in groups:
        out.append(
            f"\n## {group}\n\n| key | id | what it does | where |\n|---|---|---|---|"
        )
        for deed in DEEDS:
            if deed.group == group:
                keys = " ".join(f"`{shown(key)}`" for key in deed.keys.split(","))
                writes = " *Writes.*" if deed.writes else ""
                where = _where(deed.where)
                out.append(f"| {keys} | `{deed.id}` | {deed.help}{writes} | {where} |")
    return "\n".join(out) + "\n"


def _where(where: str) -> str:
    contexts = [context for context, wheres in CONTEXTS.items() if where in wheres]
    return "everywhere" if len(contexts) == len(CONTEXTS) else ", ".join(contexts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
