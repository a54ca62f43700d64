"""``gerbang appliance``: run the daemon and its helper, and commit what the services want of the machine."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from appliance.cli.connecting import add_connection
from compiler.cli.verb import Verb

__all__ = ["verb"]

MACHINE = {
    "plan": "show what a commit would do, and all that is wrong with it",
    "commit": "make the machine what the services want, or leave it as it was",
    "confirm": "keep the generation that waits",
    "rollback": "take back the generation that waits, or go to an older one",
    "generations": "list the generations that are kept",
    "status": "show which generation runs, and whether one waits",
    "diagnose": "probe every component and look for edits by hand",
    "recover": "begin another journal of the commits when the old one is spoilt; touches nothing that runs",
    "install": "install the Debian packages that a service needs",
}


def _configure(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _run_options(actions.add_parser("run", help="run the daemon in the foreground", allow_abbrev=False))
    helper = actions.add_parser("helper", help="run the root helper in the foreground", allow_abbrev=False)
    helper.add_argument("--user", default="gerbang", help="who may ask it, beside root (default: %(default)s)")
    helper.add_argument("--group", default="gerbang", help="who reaches its socket (default: %(default)s)")
    helper.add_argument("--socket", metavar="PATH", help="its socket (default: /run/gerbang-helper/helper.sock)")
    helper.add_argument("--generations", metavar="FOLDER", help="the daemon's state folder")
    for name, summary in MACHINE.items():
        _machine_options(name, actions.add_parser(name, help=summary, allow_abbrev=False))
    setup = actions.add_parser(
        "setup", help="make the user, the settings and the units of a machine", allow_abbrev=False
    )
    setup.add_argument("--dry-run", action="store_true", help="only say what would be done")
    setup.add_argument("--program", metavar="PATH", help="the gerbang command that the units start (default: this one)")
    setup.add_argument("--web", action="store_true", help="also the web door, with a user of its own")
    setup.add_argument("--root", default="/", metavar="FOLDER", help="another root, to fill an image")
    migration = actions.add_parser(
        "migration", help="write the next migration of a service, from its tables", allow_abbrev=False
    )
    migration.add_argument("service", metavar="SERVICE")
    migration.add_argument("message", metavar="MESSAGE", help="what it changes, in a few words")


def _run_options(run: ArgumentParser) -> None:
    run.add_argument(
        "--settings", metavar="FILE", help="a YAML file (default: /etc/gerbang/appliance.yaml if it is there)"
    )
    run.add_argument("--state", metavar="FOLDER", help="where the store, keys and files are")
    run.add_argument("--socket", metavar="PATH", help="the UNIX socket to listen on")
    run.add_argument("--helper", metavar="PATH", help="the root helper's socket")
    run.add_argument("--store", metavar="URL", help="sqlite:///FILE or postgresql://USER@HOST/NAME")
    run.add_argument("--zone", metavar="ZONE", help="the time zone, such as Asia/Jakarta")
    run.add_argument("--tls-address", metavar="ADDRESS", help="listen with TLS on this address")
    run.add_argument("--tls-port", metavar="PORT", type=int, help="and on this port")
    run.add_argument("--tls-certificate", metavar="FILE", help="the certificate and its chain, PEM")
    run.add_argument("--tls-key", metavar="FILE", help="its key, PEM")
    run.add_argument("--demo", action="store_true", help="serve sample data from memory, until standard input ends")


def _machine_options(name: str, parser: ArgumentParser) -> None:
    add_connection(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="(default: %(default)s)")
    if name == "commit":
        parser.add_argument("--note", default="", help="why, for the list of generations")
        parser.add_argument(
            "--confirm-within",
            type=int,
            default=120,
            metavar="SECONDS",
            help="take it back unless it is confirmed in time; 0: it stands once it serves (default: %(default)s)",
        )
        parser.add_argument("--overwrite", action="store_true", help="go on although files were edited by hand")
    if name == "install":
        parser.add_argument("service", metavar="SERVICE", help="a service that is installed, such as mail")
    if name == "rollback":
        parser.add_argument("--to", type=int, metavar="N", help="this generation (default: the last confirmed one)")


def _run(arguments: Namespace) -> int:
    if arguments.action == "run":
        from appliance.cli.running import run_daemon

        return run_daemon(arguments)
    if arguments.action == "helper":
        from appliance.cli.running import run_helper

        return run_helper(arguments)
    if arguments.action == "setup":
        from appliance.cli.setting_up import set_up

        return set_up(arguments)
    if arguments.action == "migration":
        from appliance.cli.running import write_migration

        return write_migration(arguments)
    from appliance.cli.machine import act

    return act(arguments)


verb = Verb(
    summary="run the appliance's daemon; plan, commit and take back what it makes of the machine",
    configure=_configure,
    run=_run,
    examples=(
        "appliance setup --dry-run",
        "appliance run --state /var/lib/gerbang --socket /run/gerbang/api.sock",
        "appliance plan",
        "appliance commit --note 'new uplink' --confirm-within 300",
        "appliance rollback --to 12",
    ),
)
