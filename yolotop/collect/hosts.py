"""Which deployments of the Platform are followed, under which names.

Owns the meeting of what is written down with what the Platform lists: names, addresses,
renames, and those that are gone. Pure. It must not know how a list is fetched, nor what
is done about a difference.

A deployment that is written down keeps its name whatever it is called on the Platform.
One that is followed with its workspace is called as its slug there, or ``owner/slug``
where the name is taken; renamed there, it is renamed here and its history goes with it.
The Platform's id tells that it is the same, also over a restart: it is kept with the
history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from yolotop.config.deployment import deployment_from_table
from yolotop.config.reach import as_url
from yolotop.config.schema import Config
from yolotop.errors import ConfigError
from yolotop.model import Deployment, Hosting, SecretRef
from yolotop.model.hosting import PLATFORM_URL
from yolotop.platform.contract import PlatformDeployment, lifecycle_of
from yolotop.platform.metrics import SOURCE

PLATFORM_KEY: Final = SecretRef("platform", "key")
"""Stands for the key that the Platform itself is asked with."""


@dataclass(slots=True)
class Hosts:
    """``hosted`` is what is known by name; it begins with what was kept."""

    hosted: dict[str, Hosting] = field(default_factory=dict)
    _written: dict[str, Deployment] = field(default_factory=dict, init=False)
    _taken: frozenset[str] = field(default=frozenset(), init=False)
    _config: Config | None = field(default=None, init=False)
    _gone: set[str] = field(default_factory=set, init=False)

    def configure(self, config: Config) -> None:
        """What is written down from now on; what is not followed now is forgotten."""
        self._config = config
        self._taken = frozenset(each.name for each in config.deployments)
        self._written = {
            each.name: each for each in config.deployments if each.platform is not None
        }
        follows = config.platform is not None and config.platform.follow
        owner = config.platform.owner if config.platform is not None else ""
        self.hosted = {
            name: one
            for name, one in self.hosted.items()
            if name in self._written
            or (follows and name not in self._taken and owner in ("", one.owner))
        }
        self._gone &= set(self._written)

    @property
    def known(self) -> tuple[PlatformDeployment, ...]:
        """What was last listed of it, as far as it was kept."""
        return tuple(_listed(one) for one in self.hosted.values())

    @property
    def gone(self) -> frozenset[str]:
        """Names that are written down and not on the Platform."""
        return frozenset(self._gone)

    def name_of(self, id_: str) -> str | None:
        """Under which name an id is followed."""
        found = (name for name, one in self.hosted.items() if one.id == id_)
        return next(found, None)

    def take(
        self, listed: Sequence[PlatformDeployment], *, cut: bool
    ) -> dict[str, str]:
        """Follow a list; new names by old ones of what was renamed.

        With ``cut`` the list is not all there is: what is not in it is not gone.
        """
        before = {one.id: name for name, one in self.hosted.items()}
        listed = list({one.id: one for one in listed}.values())
        written = self._by_id(listed, before)
        found: dict[str, Hosting] = {}
        renamed: dict[str, str] = {}
        for one in sorted(listed, key=lambda each: each.slug):
            name = written.get(one.id)
            if name is None:
                if not self._follows:
                    continue
                was = before.get(one.id)
                name = self._free_name(one, was, found)
                if was is not None and was != name and was not in self._written:
                    renamed[was] = name
            found[name] = self._hosting(name, one, before.get(one.id))
        if cut:
            told = {one.id for one in found.values()}
            for name, kept in self.hosted.items():
                if kept.id not in told:
                    found.setdefault(name, kept)
        self.hosted = found
        self._gone = set() if cut else set(self._written) - set(found)
        return renamed

    def note_log(self, name: str, at: float) -> None:
        """Its log is known up to then."""
        if (one := self.hosted.get(name)) is not None:
            self.hosted[name] = replace(one, log_at=max(at, one.log_at or 0.0))

    def roster(self) -> tuple[Deployment, ...]:
        """Everything that is followed, of the config file and of the Platform."""
        config = self._config
        if config is None:
            return ()
        return (
            *(self._hosted(each) for each in config.deployments),
            *self._followed(config),
        )

    # --- names ---------------------------------------------------------------------

    @property
    def _follows(self) -> bool:
        platform = None if self._config is None else self._config.platform
        return platform is not None and platform.follow

    def _by_id(
        self, listed: Iterable[PlatformDeployment], before: Mapping[str, str]
    ) -> dict[str, str]:
        """Names of what is written down, by the id on the Platform."""
        slugs = {
            each.platform.slug: name
            for name, each in self._written.items()
            if each.platform is not None
        }
        found = {one.id: slugs[one.slug] for one in listed if one.slug in slugs}
        met = set(found.values())
        for one in listed:
            name = before.get(one.id, "")
            # Renamed there since: its address leads nowhere, its id still does.
            if name in self._written and name not in met:
                found[one.id] = name
                met.add(name)
        return found

    def _free_name(
        self, one: PlatformDeployment, was: str | None, found: Mapping[str, Hosting]
    ) -> str:
        holder = self.hosted.get(one.slug)
        if was is not None and holder is not None and holder.id != one.id:
            # Another has that name until now: two histories must not be mixed.
            return was
        taken = one.slug in self._taken or one.slug in found
        return f"{one.owner}/{one.slug}" if taken else one.slug

    # --- values --------------------------------------------------------------------

    def _hosting(
        self, name: str, one: PlatformDeployment, known_as: str | None
    ) -> Hosting:
        before = self.hosted.get(known_as or name)
        written = self._written.get(name)
        return Hosting(
            source=SOURCE,
            id=one.id,
            owner=one.owner,
            slug=one.slug,
            name=one.name,
            lifecycle=one.lifecycle.value,
            message=one.message,
            model=f"{one.project}/{one.model}".strip("/"),
            task=one.task,
            region=one.region,
            service_url=one.service_url,
            cpu=one.cpu,
            memory_gib=one.memory_gib,
            min_instances=one.min_instances,
            max_instances=one.max_instances,
            metered=one.metered,
            key_id=one.key_id,
            camera=one.camera,
            deployed_at=one.deployed_at,
            log_at=None if before is None or before.id != one.id else before.log_at,
            probed=written is not None and written.probe,
        )

    def _hosted(self, written: Deployment) -> Deployment:
        if written.platform is None:
            return written
        one = self.hosted.get(written.name)
        if one is None:
            # Where it serves, nobody knows yet.
            return replace(written, probe=False)
        return with_hosting(written, one)

    def _followed(self, config: Config) -> Iterable[Deployment]:
        for name, one in self.hosted.items():
            if name in self._written:
                continue
            try:
                template = deployment_from_table(
                    {"name": name, "platform": one.address},
                    config.defaults,
                    presets=config.presets,
                )
            except ConfigError:
                continue  # A slug of 65 characters and more is no name here.
            yield with_hosting(template, one)


def with_hosting(template: Deployment, one: Hosting) -> Deployment:
    """``template`` with what the Platform decides where nobody wrote it."""
    url = template.url
    if url.startswith(f"{PLATFORM_URL}/") and one.service_url:
        try:
            url = as_url(one.service_url)
        except ValueError:
            url = template.url
    # What was never ready has no address to be asked at.
    probe = template.probe and not url.startswith(f"{PLATFORM_URL}/")
    key = template.api_key or (PLATFORM_KEY if probe else None)
    return replace(
        template,
        url=url,
        region=template.region or one.region or None,
        probe=probe,
        api_key=key,
        hosting=replace(one, probed=template.probe),
    )


def _listed(one: Hosting) -> PlatformDeployment:
    project, _, model = one.model.rpartition("/")
    return PlatformDeployment(
        id=one.id,
        owner=one.owner,
        slug=one.slug,
        name=one.name or one.slug,
        lifecycle=lifecycle_of(one.lifecycle),
        message=one.message,
        project=project,
        model=model,
    )
