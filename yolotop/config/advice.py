"""What is allowed of a deployment but rarely meant, and what does not fit together.

Owns the rules that look at several settings at once, and their words. It must not know
how a setting is read.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from yolotop.config.duration import format_duration
from yolotop.config.preset_tables import names_a_model
from yolotop.config.problems import Scope
from yolotop.config.table import Table
from yolotop.model import Deployment
from yolotop.text import redact

ASLEEP_AFTER_S: Final = 1_200.0
"""A scale-to-zero instance sleeps after about 15 minutes without a request."""
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def keeps_awake(deployment: Deployment) -> bool:
    """Whether asking so often keeps an instance awake that could sleep.

    A liveness request counts like any other: it wakes the instance too.
    """
    shortest = min(deployment.interval_s, deployment.predict_interval_s)
    asked = deployment.probe and not deployment.paused
    return deployment.scale_to_zero and asked and shortest < ASLEEP_AFTER_S


def advise(found: Deployment, table: Table, scope: Scope) -> None:
    """What is allowed but rarely meant."""
    shortest = min(found.interval_s, found.predict_interval_s)
    if found.timeout_s > shortest:
        scope.warn(
            f"timeout {format_duration(found.timeout_s)} is longer than the interval "
            f"{format_duration(shortest)}; a hanging answer makes the next probes late",
            "timeout",
        )
    if found.degraded_after > found.degraded_window:
        scope.problem(
            f"degraded_after {found.degraded_after} is more than the last "
            f"{found.degraded_window} answers that are looked at (degraded_window)",
            "degraded_after" if "degraded_after" in table.values else "degraded_window",
        )
    if found.model is None and names_a_model(found.preset):
        scope.problem(
            f"model is missing; {found.preset.title} asks for a model by its name: "
            'add model = "..."',
            "dialect",
        )
    _advise_reach(found, scope)
    if keeps_awake(found):
        scope.warn(
            f"scale_to_zero is set but it is asked every {format_duration(shortest)}, "
            "which keeps the instance awake and may cost money; use intervals above "
            f"{format_duration(ASLEEP_AFTER_S)}",
            "interval" if "interval" in table.values else "scale_to_zero",
        )
    parts = urlsplit(found.url)
    if redact(found.url) != found.url:
        scope.warn(
            "the URL holds a key, which stands in the file as it is; write "
            'api_key = "env:NAME", and [deployment.auth] carrier = "query" if it must '
            "go there",
            "url",
        )
    if (
        found.api_key is not None
        and parts.scheme == "http"
        and parts.hostname not in _LOOPBACK
    ):
        scope.warn("the key is sent unencrypted; use https:// if you can", "url")


def _advise_reach(found: Deployment, scope: Scope) -> None:
    """What cannot work, or is rarely meant, about the way to an endpoint."""
    if not found.verify_tls:
        scope.warn(
            "verify_tls = false takes any certificate, so anybody on the way may read "
            'the key and answer in its place; use ca = "..." if you can',
            "verify_tls",
        )
    if found.client_key is not None and found.client_cert is None:
        scope.problem("client_key needs client_cert beside it", "client_key")
    if found.proxy_auth is not None and found.proxy is None:
        scope.problem("proxy_auth needs proxy beside it", "proxy_auth")
    if found.proxy is not None and found.url.startswith("http+unix:"):
        scope.problem("a proxy does not lead to a Unix socket; remove proxy", "proxy")
    for key, budget_s in (
        ("connect_timeout", found.connect_timeout_s),
        ("first_byte_timeout", found.first_byte_timeout_s),
    ):
        # One that sleeps may take as long as its cold start, whatever the timeout.
        longest_s = max(found.timeout_s, found.cold_start_s * found.scale_to_zero)
        if budget_s is not None and budget_s > longest_s:
            scope.warn(
                f"{key} {format_duration(budget_s)} is longer than the timeout "
                f"{format_duration(found.timeout_s)}, which ends the probe before",
                key,
            )
