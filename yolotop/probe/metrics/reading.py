"""Two pages of one server, and the traffic between them.

Owns how counts become what was counted in between: restarts, series that come and go,
gaps. Pure; must not know how a page came, nor who keeps the result.

Counters only grow, until their process starts anew: then they count from zero, and
what they show is what was counted since. So nothing here is ever negative. A series
that is missing on a page is remembered, so that one which comes back (a replica that
was slow to report) is not counted from zero again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeAlias

from yolotop.model import Deployment
from yolotop.model.traffic import Buckets, Timing, Traffic
from yolotop.probe.metrics.exposition import MOST_SERIES, Labels, Page, Series, read
from yolotop.probe.metrics.profiles import PROFILES, Durations, Pick, Profile, Where

BORN: Final = "process_start_time_seconds"
"""Tells a restart that counters hide: they may be past their old values already."""

_Values: TypeAlias = Mapping[str, list[tuple[Labels, float]]]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one page held, read at the monotonic ``clock_s`` (asleep or awake).

    ``missed`` are series of earlier pages that are not on this one.
    """

    profile: Profile
    clock_s: float
    page: Page
    missed: Page = field(default_factory=dict)

    @property
    def born(self) -> float | None:
        """When the process began, where the page says so of a single one."""
        told = [value for (name, _), value in self.page.items() if name == BORN]
        return told[0] if len(told) == 1 else None


def profile_of(body: bytes) -> Profile | None:
    """Whose page this is, by the metrics on it. Raises BadPage."""
    every = {pick.name for profile in PROFILES.values() for pick in profile.picks()}
    names = {name for name, _ in read(body, every)}
    for profile in PROFILES.values():
        if profile.mark.encode() not in body:
            continue
        if names.intersection(p.name for p in (*profile.requests, *profile.rate)):
            return profile
    return None


def reading(body: bytes, profile: Profile, clock_s: float) -> Reading:
    """A page as its profile reads it. Raises BadPage."""
    wanted = {pick.name for pick in profile.picks()} | {BORN}
    return Reading(profile, clock_s, read(body, wanted))


def following(before: Reading, after: Reading) -> Reading:
    """``after`` with what it must remember of the pages before it."""
    if _restarted(before, after):
        return after
    missed = {
        series: value
        for series, value in (before.missed | before.page).items()
        if series not in after.page
    }
    # A page whose series change all the time must not make this grow for ever.
    kept = dict(list(missed.items())[-MOST_SERIES:])
    return Reading(after.profile, after.clock_s, after.page, kept)


def between(
    before: Reading, after: Reading, deployment: Deployment, *, at: float, most_s: float
) -> Traffic | None:
    """What was counted from one page to the other, which was read ``at``.

    ``None`` where more than ``most_s`` lie between: nobody knows when in such a gap.
    """
    span_s = after.clock_s - before.clock_s
    profile = after.profile
    if not 0.0 < span_s <= most_s or before.profile is not profile:
        return None
    grown, levels = _by_name(_grown(before, after)), _by_name(after.page)
    chosen = _Chosen(deployment)
    requests = chosen.sum(profile.requests, grown)
    if requests is None and (rate := chosen.sum(profile.rate, levels)) is not None:
        requests = rate * span_s
    errors = chosen.sum(profile.errors, grown)
    if requests is not None and errors is None and profile.errors:
        # Series of a status begin with its first answer.
        errors = 0.0
    if requests is not None and errors is not None:
        errors = min(max(errors, 0.0), requests)
    latency = chosen.timing(profile.latency, grown)
    mean_ms = chosen.level(profile.mean_ms, levels)
    if latency is None and mean_ms is not None and requests:
        latency = Timing(mean_ms * requests, requests)
    return Traffic(
        deployment.name,
        profile.source,
        at - span_s,
        span_s,
        requests,
        errors,
        latency,
        chosen.timing(profile.queued, grown),
        chosen.buckets(profile.latency, grown),
        waiting=chosen.sum(profile.waiting, levels),
        cpu=chosen.level(profile.cpu, levels),
        memory=chosen.level(profile.memory, levels),
    )


def _restarted(before: Reading, after: Reading) -> bool:
    was, now = before.born, after.born
    return was is not None and now is not None and now - was > 1.0


def _grown(before: Reading, after: Reading) -> Mapping[Series, float]:
    """By how much each series of the second page grew, had it been a counter."""
    if _restarted(before, after):
        return after.page
    known = before.missed | before.page
    return {
        series: value - last if (last := known.get(series, 0.0)) <= value else value
        for series, value in after.page.items()
    }


def _by_name(values: Mapping[Series, float]) -> _Values:
    named: dict[str, list[tuple[Labels, float]]] = {}
    for (name, labels), value in values.items():
        named.setdefault(name, []).append((labels, value))
    return named


class _Chosen:
    """The series of one deployment among those of its server."""

    def __init__(self, deployment: Deployment) -> None:
        question = deployment.preset.question
        path = question.path if question is not None else ""
        self._own = (deployment.model or "", path)

    def _matching(self, pick: Pick, values: _Values) -> list[tuple[Labels, float]]:
        return [
            (labels, value)
            for labels, value in values.get(pick.name, ())
            if _fits(labels, pick.where, *self._own)
        ]

    def sum(self, picks: Iterable[Pick], values: _Values) -> float | None:
        """All together; ``None`` where there is none of them."""
        found = [
            value * pick.factor
            for pick in picks
            for _, value in self._matching(pick, values)
        ]
        return sum(found) if found else None

    def level(self, picks: Iterable[Pick], values: _Values) -> float | None:
        """Their mean: two detectors that take 10 ms each do not take 20."""
        found = [
            value * pick.factor
            for pick in picks
            for _, value in self._matching(pick, values)
        ]
        return sum(found) / len(found) if found else None

    def timing(self, durations: Durations | None, grown: _Values) -> Timing | None:
        """Time and how often; ``None`` where nothing came."""
        if durations is None:
            return None
        total, count = (
            self.sum(picks, grown) for picks in (durations.sums, durations.counts)
        )
        return Timing(total, count) if total is not None and count else None

    def buckets(self, durations: Durations | None, grown: _Values) -> Buckets:
        """How many lie in each bucket; pages tell how many lie below its bound."""
        if durations is None or durations.buckets is None:
            return ()
        below: dict[float, float] = {}
        for labels, value in self._matching(durations.buckets, grown):
            bound = _bound(dict(labels).get("le", ""), durations.bound)
            if bound is not None:
                below[bound] = below.get(bound, 0.0) + value
        cells, passed = [], 0.0
        for bound in sorted(below):
            cells.append((bound, max(0.0, below[bound] - passed)))
            passed = max(passed, below[bound])
        return tuple(
            cell
            for number, cell in enumerate(cells)
            if cell[1] or (number + 1 < len(cells) and cells[number + 1][1])
        )


def _bound(text: str, factor: float) -> float | None:
    try:
        bound = float(text) * factor
    except ValueError:
        return None
    return bound if bound > 0 else None


@lru_cache(maxsize=16_384)
def _fits(labels: Labels, where: Where, model: str, path: str) -> bool:
    """Whether a series is the deployment's; pages ask the same again and again."""
    own, found = {"{model}": model, "{path}": path}, dict(labels)
    for label, expression in where:
        value = found.get(label, "")
        if expression not in own:
            if re.fullmatch(expression, value) is None:
                return False
        elif own[expression] and own[expression] != value:
            return False
    return True
