"""What was found out about a server, as the JSON that answers a request.

Owns that object's names, see :class:`~yolotop.store.shapes.Request`. Must not know how
it was found.
"""

from __future__ import annotations

import json

from yolotop.probe.recognise import Finding
from yolotop.text import clean, redact


def finding_json(found: Finding) -> str:
    """One JSON object; sentences are clean and hold no key."""
    return json.dumps(
        {
            "dialect": found.dialect,
            "sure": found.sure,
            "why": [redact(clean(sentence)) for sentence in found.why],
            "settings": dict(found.settings),
            "models": list(found.models),
            "wants_key": found.wants_key,
            "asked": [
                {"path": asked.path, "http_status": asked.status}
                for asked in found.asked
            ],
        },
        ensure_ascii=False,
    )
