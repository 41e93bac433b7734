"""Who is followed under which name: what is written down meets what is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from yolotop.collect.hosts import PLATFORM_KEY, Hosts
from yolotop.config.load import parse
from yolotop.config.schema import Config
from yolotop.model import Deployment
from yolotop.platform.contract import Lifecycle, PlatformDeployment


def config(text: str) -> Config:
    return parse(text, path=None, env={}, data_dir=Path("/nowhere"))


def one(slug: str, id_: str = "", **more: object) -> PlatformDeployment:
    found = PlatformDeployment(
        id=id_ or f"id-{slug}",
        owner="acme",
        slug=slug,
        name=slug.title(),
        lifecycle=Lifecycle.READY,
        service_url=f"https://{slug}.example",
        region="europe-west1",
        min_instances=0,
    )
    for name, value in more.items():
        object.__setattr__(found, name, value)
    return found


def hosts(text: str) -> Hosts:
    made = Hosts()
    made.configure(config(text))
    return made


def named(made: Hosts) -> dict[str, Deployment]:
    return {each.name: each for each in made.roster()}


WRITTEN = """
[[deployment]]
name = "own"
url = "http://127.0.0.1:9"
[[deployment]]
name = "my dock"
platform = "dock"
"""


def test_without_following_only_what_is_written_down() -> None:
    made = hosts(WRITTEN)
    made.take([one("dock"), one("kiln")], cut=False)
    assert list(named(made)) == ["own", "my dock"]
    dock = named(made)["my dock"]
    assert (dock.url, dock.region) == ("https://dock.example", "europe-west1")
    assert dock.questions == ()
    assert dock.hosting is not None
    assert dock.hosting.address == "acme/dock"


def test_following_takes_all_and_what_is_written_down_keeps_its_name() -> None:
    made = hosts("platform = true\n" + WRITTEN)
    made.take([one("dock"), one("kiln"), one("own")], cut=False)
    # A name that is taken here is told apart by its owner.
    assert list(named(made)) == ["own", "my dock", "kiln", "acme/own"]
    assert named(made)["own"].hosting is None


def test_renamed_there_is_renamed_here_and_the_same() -> None:
    made = hosts("platform = true\n" + WRITTEN)
    made.take([one("dock", "1"), one("kiln", "2")], cut=False)
    made.note_log("kiln", 77.0)
    renamed = made.take([one("dock-2", "1"), one("kiln-2", "2")], cut=False)
    assert renamed == {"kiln": "kiln-2"}
    kiln = named(made)["kiln-2"].hosting
    dock = named(made)["my dock"].hosting
    assert kiln is not None
    assert dock is not None
    assert (kiln.slug, kiln.log_at) == ("kiln-2", 77.0)
    # Its address in the file leads nowhere now; the id still tells which it is.
    assert dock.slug == "dock-2"


def test_two_that_swap_their_names_keep_their_histories() -> None:
    made = hosts("platform = true")
    made.take([one("a", "1"), one("b", "2")], cut=False)
    renamed = made.take([one("b", "1"), one("a", "2")], cut=False)
    assert renamed == {}
    assert {name: each.id for name, each in made.hosted.items()} == {"a": "1", "b": "2"}


def test_a_name_that_was_given_away_is_taken_once_it_is_free() -> None:
    made = hosts("platform = true")
    made.take([one("a", "1"), one("b", "2")], cut=False)
    told = [one("b", "1"), one("c", "2")]
    assert made.take(told, cut=False) == {"b": "c"}
    assert made.take(told, cut=False) == {"a": "b"}


def test_deleted_is_followed_no_longer_unless_the_list_is_cut() -> None:
    made = hosts("platform = true\n" + WRITTEN)
    made.take([one("dock"), one("kiln"), one("silo")], cut=False)
    made.take([one("kiln")], cut=True)
    assert list(named(made)) == ["own", "my dock", "kiln", "silo"]
    assert made.gone == frozenset()
    made.take([one("kiln")], cut=False)
    assert list(named(made)) == ["own", "my dock", "kiln"]
    assert made.gone == {"my dock"}
    assert named(made)["my dock"].questions == ()


def test_what_was_kept_counts_until_the_first_list() -> None:
    made = hosts("platform = true")
    made.take([one("kiln")], cut=False)
    again = Hosts(dict(made.hosted))
    again.configure(config("platform = true"))
    assert list(named(again)) == ["kiln"]
    assert [each.slug for each in again.known] == ["kiln"]
    again.configure(config(WRITTEN))
    assert list(named(again)) == ["own", "my dock"]


PROBED = """
[[deployment]]
name = "dock"
platform = "acme/dock"
probe = true
"""


def test_probes_are_for_who_asked_for_them_and_has_an_address() -> None:
    made = hosts(PROBED)
    assert named(made)["dock"].questions == ()
    made.take([one("dock", service_url="")], cut=False)
    assert named(made)["dock"].questions == ()
    made.take([one("dock")], cut=False)
    dock = named(made)["dock"]
    assert len(dock.questions) == 2
    assert dock.api_key == PLATFORM_KEY
    # It may sleep: asked every hour, unless somebody says otherwise.
    assert dock.scale_to_zero
    assert dock.interval_s == dock.predict_interval_s == 3_600


def test_its_own_key_and_its_own_url_win() -> None:
    more = 'api_key = "env:DOCK"\nurl = "http://127.0.0.1:8"\nregion = "yard"\n'
    made = hosts(PROBED + more)
    made.take([one("dock")], cut=False)
    dock = named(made)["dock"]
    assert (str(dock.api_key), dock.url) == ("env:DOCK", "http://127.0.0.1:8")
    assert dock.region == "yard"


@pytest.mark.parametrize(
    "url", ["https://user:pw@h/x", "https://h\n.example", "ftp://h", "https://"]
)
def test_an_address_that_none_of_ours_may_have_is_not_asked(url: str) -> None:
    made = hosts(PROBED)
    made.take([one("dock", service_url=url)], cut=False)
    assert named(made)["dock"].questions == ()


def test_a_slug_that_is_too_long_for_a_name_is_left_out() -> None:
    made = hosts("platform = true")
    made.take([one("a" * 65), one("b")], cut=False)
    assert list(named(made)) == ["b"]
