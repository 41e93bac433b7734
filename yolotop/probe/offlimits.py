"""Addresses that are not dialled unless someone says so.

Owns the list: link-local addresses and the other places where clouds serve a
machine's credentials. Must not know what is dialled for what. The check is on the
address that is about to be dialled, so a name that resolves there does not help.
Private networks are allowed: that is where most models live.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from yolotop.probe.failures import AddressRefused
from yolotop.text import clean

_NAMES: Final = frozenset(
    {
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "metadata.azure.com",
        "metadata.azure.internal",
        "metadata.oraclecloud.com",
        "metadata.tencentyun.com",
        "instance-data",
        "instance-data.ec2.internal",
    }
)
_ADDRESSES: Final = frozenset(
    ip_address(text)
    for text in (
        "fd00:ec2::254",  # AWS, instance metadata
        "fd00:ec2::23",  # AWS, credentials of a pod
        "fd20:ce::254",  # Google Cloud
        "fd00:42::42",  # Scaleway
        "100.100.100.200",  # Alibaba Cloud
        "192.0.0.192",  # Oracle Cloud, classic
        "168.63.129.16",  # Azure, platform service
    )
)
_NAT64: Final = int(IPv6Address("64:ff9b::"))


def check_name(host: str) -> None:
    """Raise AddressRefused for a name that clouds give to their metadata service."""
    if host.rstrip(".").lower() in _NAMES:
        raise AddressRefused(_sentence(host))


def check_literal(host: str) -> None:
    """Raise AddressRefused for a literal address that is off limits; names pass."""
    if off_limits(host):
        raise AddressRefused(_sentence(host))


@lru_cache(maxsize=4096)
def off_limits(host: str) -> bool:
    """Whether a literal address, in whatever disguise, is off limits."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inner = _inside(address)
        if inner is not None:
            address = inner
    return address.is_link_local or address in _ADDRESSES


def _inside(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if int(address) >> 32 == _NAT64 >> 32:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _sentence(host: str) -> str:
    return (
        f"{clean(host, limit=100)} is a link-local or cloud metadata address, which is "
        "not probed unless allow_link_local = true"
    )
