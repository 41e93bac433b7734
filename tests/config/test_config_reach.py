"""The keys that say how an endpoint is reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from yolotop.config.deployment import deployment_from_table
from yolotop.config.load import parse
from yolotop.errors import ConfigError
from yolotop.model import Deployment, SecretRef

PLAIN = {"name": "d", "url": "http://h:8000"}


def test_all_of_them(tmp_path: Path) -> None:
    for name in ("ca.pem", "me.pem", "me.key"):
        (tmp_path / name).touch()
    found = deployment_from_table(
        {
            **PLAIN,
            "connect_timeout": "500ms",
            "first_byte_timeout": "8s",
            "reuse": True,
            "proxy": "http://proxy:3128",
            "proxy_auth": "env:LOGIN",
            "ca": "ca.pem",
            "client_cert": "me.pem",
            "client_key": str(tmp_path / "me.key"),
            "verify_tls": False,
            "allow_link_local": True,
        },
        base=tmp_path,
    )
    assert found == Deployment(
        "d",
        "http://h:8000",
        connect_timeout_s=0.5,
        first_byte_timeout_s=8.0,
        reuse=True,
        proxy="http://proxy:3128",
        proxy_auth=SecretRef("env", "LOGIN"),
        ca=str(tmp_path / "ca.pem"),
        client_cert=str(tmp_path / "me.pem"),
        client_key=str(tmp_path / "me.key"),
        verify_tls=False,
        allow_link_local=True,
    )


def test_by_default_nothing_of_it() -> None:
    assert deployment_from_table(PLAIN) == Deployment("d", "http://h:8000")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("proxy", "https://proxy:1", "proxy must begin with http://"),
        ("proxy", "socks5://proxy:1", "proxy must begin with http://"),
        ("proxy", "http://proxy", "proxy needs a host and a port"),
        ("proxy", "http://proxy:1/path", "proxy has more than a host and a port"),
        ("proxy", "http://user:hunter22@proxy:1", 'use proxy_auth = "env:NAME"'),
        ("proxy_auth", "user:hunter22", "must be a reference"),
        ("proxy_auth", "env:LOGIN", "proxy_auth needs proxy beside it"),
        ("ca", "gone.pem", 'gone.pem", which is not a file; put the PEM file there'),
        ("ca", "", "is not a path"),
        ("client_key", __file__, "client_key needs client_cert beside it"),
        ("connect_timeout", "5ms", "10ms to 10m are possible"),
        ("first_byte_timeout", 5, "first_byte_timeout is 5"),
        ("reuse", "yes", 'reuse is "yes"; write true or false'),
        ("url", "http+unix://run/yolo.sock", "names no socket"),
        ("url", "http+unix://%2F" + "a" * 120, "socket path longer than 107 bytes"),
    ],
)
def test_what_cannot_be_is_said(key: str, value: object, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        deployment_from_table({**PLAIN, key: value})
    assert said in caught.value.message
    assert "hunter22" not in caught.value.message


def test_a_unix_socket_is_a_url_like_any_other() -> None:
    url = "http+unix://%2Frun%2FYolo.sock/predict"
    assert deployment_from_table({"name": "d", "url": url}).url == url
    with pytest.raises(ConfigError, match="does not lead to a Unix socket"):
        deployment_from_table({"name": "d", "url": url, "proxy": "http://p:1"})


def test_what_is_rarely_meant_is_a_warning(tmp_path: Path) -> None:
    text = """
[[deployment]]
name = "d"
url = "https://h"
verify_tls = false
first_byte_timeout = "1m"
"""
    config = parse(text, path=tmp_path / "yolotop.toml", env={})
    unverified, budget = sorted(config.warnings)
    assert "verify_tls = false takes any certificate" in unverified
    assert "first_byte_timeout 1m is longer than the timeout 10s" in budget
