"""What ``gerbang appliance run`` does with its options."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.daemon.run_settings import FILE, RunSettings, Tls, read_settings
from compiler.errors import UsageError

__all__ = ["run_daemon", "run_helper", "settings_from", "write_migration"]


def run_daemon(arguments: Namespace) -> int:
    """Serve until it is told to end."""
    from appliance.daemon.serving import serve, serve_demo

    if arguments.demo:
        given = [name for name, value in vars(arguments).items() if value and name not in {"action", "demo", "socket"}]
        if given:
            raise UsageError(f"--demo has its own settings; leave out --{given[0].replace('_', '-')}")
        return serve_demo(Path(arguments.socket).absolute() if arguments.socket else None)
    return serve(settings_from(arguments))


def settings_from(arguments: Namespace) -> RunSettings:
    """The file's settings with those of the options over them."""
    if arguments.settings:
        settings = read_settings(Path(arguments.settings))
    else:
        settings = read_settings(FILE) if FILE.exists() else RunSettings()
    if arguments.state:
        settings = replace(settings, state=Path(arguments.state).absolute())
    if arguments.socket:
        settings = replace(settings, socket=Path(arguments.socket).absolute())
    if arguments.helper:
        settings = replace(settings, helper=Path(arguments.helper).absolute())
    if arguments.store:
        settings = replace(settings, store=arguments.store)
    if arguments.zone:
        settings = replace(settings, zone=_zone(arguments.zone))
    return replace(settings, tls=_tls(arguments, settings.tls))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise UsageError(f"there is no time zone {name!r}") from None


def _tls(arguments: Namespace, from_file: Tls | None) -> Tls | None:
    said = {
        "address": arguments.tls_address,
        "port": arguments.tls_port,
        "certificate": Path(arguments.tls_certificate) if arguments.tls_certificate else None,
        "key": Path(arguments.tls_key) if arguments.tls_key else None,
    }
    given = {name: value for name, value in said.items() if value is not None}
    if not given:
        return from_file
    if not 0 <= given.get("port", 1) <= 65535:
        raise UsageError(f"{given['port']} is no port")
    if from_file is not None:
        return replace(from_file, **given)
    if "certificate" not in given or "key" not in given:
        raise UsageError("TLS needs --tls-certificate and --tls-key")
    return Tls(**given)


def run_helper(arguments: Namespace) -> int:
    """Serve as the root helper until it is told to end."""
    import logging

    from appliance.helper.serving import HelperSettings, serve

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    settings = HelperSettings(user=arguments.user, group=arguments.group)
    if arguments.socket:
        settings = replace(settings, socket=Path(arguments.socket).absolute())
    if arguments.generations:
        settings = replace(settings, generations=Path(arguments.generations).absolute())
    return serve(settings)


def write_migration(arguments: Namespace) -> int:
    """Write the next migration of an installed service."""
    from appliance.contract.service import all_services
    from appliance.store.authoring import new_revision

    services = {one.name: one for one in all_services()}
    if arguments.service not in services:
        raise UsageError(f"there is no service {arguments.service}: {', '.join(sorted(services))}")
    print(new_revision(services[arguments.service], arguments.message))
    return 0
