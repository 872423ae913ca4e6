"""Finds the proxy through which gRPC connects to an address."""

import ipaddress
import os
import re
import urllib.request
from collections.abc import Sequence

# Of each tuple gRPC reads the first variable that is set, in lower case alone.
_PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")
_EXEMPT = ("no_grpc_proxy", "no_proxy")
_PROXY = re.compile(r"(?i:http)://(?:[^/?#]*@)?(?P<server>[^@/?#]+)")
_TARGET = re.compile(r"(?:(?:dns|ipv4|ipv6):(?://[^/]*/)?)?\[?(?P<host>.*?)\]?(?::\d+)?")


def proxy_to(address: str) -> str | None:
    """Finds the proxy that the environment sets for a server's address, in gRPC's syntax.

    Nothing stands between a client and its own machine. Other hosts are left out by `no_proxy`,
    which is read as gRPC reads it (ends of names, networks such as `10.0.0.0/8`) and as others do
    (`NO_PROXY`, `*`).

    Returns:
        The proxy without its credentials, and the variable that names it, such as
        `"proxy:3128 (https_proxy)"`; `None` if the connection is direct.
    """
    variable, value = _first_set(_PROXIES)
    proxy = _PROXY.match(value)
    target = _TARGET.fullmatch(address)
    if not proxy or not target or address.startswith(("unix:", "unix-abstract:", "vsock:")):
        return None
    host = target["host"].lower()
    exempt = _first_set(_EXEMPT)[1].lower().split(",")
    if _is_this_machine(host) or any(_covers(entry.strip(), host) for entry in exempt):
        return None
    if urllib.request.proxy_bypass(host):
        return None
    return f"{proxy['server']} ({variable})"


def _first_set(variables: Sequence[str]) -> tuple[str, str]:
    return next(((name, os.environ[name]) for name in variables if name in os.environ), ("", ""))


def _is_this_machine(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    # Connecting to 0.0.0.0, on which a server may listen, reaches this machine.
    return address.is_loopback or address.is_unspecified


def _covers(entry: str, host: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return entry != "" and host.endswith(entry)
