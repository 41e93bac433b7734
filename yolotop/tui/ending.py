"""How the app ends, where that is more than leaving.

Owns the codes that are no exit codes. It must not know what is done about them.
"""

from __future__ import annotations

from typing import Final

SEE_DEMO: Final = -1
"""The person wants to see the demo: whoever opened the terminal starts it there."""
