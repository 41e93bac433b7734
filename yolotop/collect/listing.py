"""What the Platform said, in the words of whoever asked for it.

Owns the JSON of a list and the event of a log's line. Pure. It must not know who asks.
"""

from __future__ import annotations

import json

from yolotop.model import Event, EventKind
from yolotop.platform.contract import Listed, PlatformDeployment
from yolotop.platform.logs import LogEntry


def line_of(entry: LogEntry, name: str) -> Event:
    """A line of a log as one of ours, at its own instant."""
    return Event(entry.at, entry.severity, EventKind.LOG, entry.message, name)


def listed_json(listed: Listed) -> str:
    """A list: ``owner``, ``cut`` (how many are not in it) and ``deployments``."""
    owner = next((one.owner for one in listed.deployments), "")
    told = [_told(one) for one in listed.deployments]
    found = {"owner": owner, "cut": listed.cut, "deployments": told}
    return json.dumps(found, ensure_ascii=False)


def _told(one: PlatformDeployment) -> dict[str, object]:
    return {
        "name": one.name,
        "platform": f"{one.owner}/{one.slug}",
        "lifecycle": one.lifecycle.value,
        "message": one.message,
        "region": one.region,
        "model": f"{one.project}/{one.model}".strip("/"),
        "task": one.task,
        "metered": one.metered,
        "url": one.service_url,
    }
