"""``[platform]``: a workspace of Ultralytics Platform, and which of it is followed.

Owns the section's keys, the address of one deployment there, and what of a deployment
the Platform decides. It must not know how the Platform is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from yolotop.config.problems import Findings, Scope, kind_of, quoted
from yolotop.config.schema import PlatformSettings
from yolotop.config.secrets import parse_ref
from yolotop.config.table import Table, as_boolean, as_text
from yolotop.model import Deployment, PlatformAddress, SecretRef
from yolotop.model.hosting import PLATFORM_URL, SLUG

PLATFORM_KEYS: Final = ("follow", "owner", "api_key", "base_url")
LONGEST_SLUG: Final = 128
LONGEST_OWNER: Final = 32
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def read_platform(
    document: Mapping[str, object], findings: Findings, *, base: Path | None
) -> PlatformSettings | None:
    """The section, or ``platform = true`` for all of it; ``None`` without either."""
    if "platform" not in document:
        return None
    value = document["platform"]
    top = findings.scope("")
    if isinstance(value, bool):
        return PlatformSettings(follow=value)
    if not isinstance(value, Mapping):
        top.problem(
            f"platform is {kind_of(value)}; write true, or a section [platform]",
            "platform",
        )
        return None
    table = Table(value, findings.scope("[platform]", "platform"), {})
    table.only(PLATFORM_KEYS)
    return PlatformSettings(
        follow=table.read("follow", True, as_boolean),
        owner=table.read("owner", "", as_owner),
        api_key=table.read("api_key", None, lambda found: _as_ref(found, base)),
        base_url=table.read("base_url", PLATFORM_URL, as_base_url),
    )


def as_owner(value: object) -> str:
    """The slug of a workspace."""
    text = as_text(value)
    if not SLUG.fullmatch(text) or not 4 <= len(text) <= LONGEST_OWNER:
        raise ValueError(
            f"{quoted(text)} is no owner; it is the name in the Platform's addresses, "
            "4 to 32 small letters, digits and -"
        )
    return text


def as_address(value: object) -> PlatformAddress:
    """``dock-cam`` or ``acme/dock-cam``."""
    if value is True or value is False:
        raise ValueError(
            'is true or false; write the deployment\'s name there, such as "dock-cam"; '
            "platform = true stands above all tables"
        )
    text = as_text(value)
    owner, slash, slug = text.rpartition("/")
    try:
        owner = as_owner(owner) if slash else ""
    except ValueError:
        slug = ""
    if not SLUG.fullmatch(slug) or len(slug) > LONGEST_SLUG:
        raise ValueError(
            f"{quoted(text)} is no deployment of the Platform; write its name as in "
            'its address there, "dock-cam" or "owner/dock-cam"'
        )
    return PlatformAddress(slug, owner)


def as_base_url(value: object) -> str:
    """Where the Platform is: https, or anything on this machine."""
    text = as_text(value).strip().rstrip("/")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", 0
    plain = parts.scheme == "http" and host in _LOOPBACK if host else False
    if not host or port == 0 or not (parts.scheme == "https" or plain):
        raise ValueError(f"is no https:// address; leave it out for {PLATFORM_URL}")
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("has more than a host and a path; remove the rest")
    return text


def check_hosted(table: Table, scope: Scope) -> None:
    """What fits together of ``platform``, ``url`` and ``probe``."""
    if "probe" in table.values and "platform" not in table.values:
        scope.problem(
            "probe is for a deployment of the Platform; write paused = true for one "
            "that is not to be asked",
            "probe",
        )


def check_workspace(
    settings: PlatformSettings | None,
    deployments: Iterable[Deployment],
    findings: Findings,
) -> PlatformSettings | None:
    """One key reaches one workspace, and each deployment of it is followed once.

    The settings in force, which there are wherever anything is of the Platform.
    """
    hosted: dict[str, PlatformAddress] = {}
    for each in deployments:
        if each.platform is None:
            continue
        if each.platform.slug in hosted:
            findings.scope("").problem(
                f"{quoted(each.name)} is the second deployment with "
                f'platform = "{each.platform.slug}"; one of them is enough'
            )
        hosted[each.platform.slug] = each.platform
    if not hosted:
        return settings
    settings = settings or PlatformSettings(follow=False)
    owners = {each.owner for each in hosted.values() if each.owner}
    if settings.owner:
        owners.add(settings.owner)
    if len(owners) > 1:
        named = ", ".join(sorted(owners))
        findings.scope("").problem(
            f"the deployments of the Platform are of several owners ({named}); a key "
            "reaches one workspace: watch the others with a data_dir of their own"
        )
    if owners and not settings.owner:
        return PlatformSettings(
            settings.follow, min(owners), settings.api_key, settings.base_url
        )
    return settings


def _as_ref(value: object, base: Path | None) -> SecretRef | None:
    return parse_ref(as_text(value), base=base)
