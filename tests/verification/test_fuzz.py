"""Bad input: whatever stands in a configuration, only a GerbangError comes out, soon, and with a text to print."""

import random
import resource
import signal
from contextlib import contextmanager
from functools import lru_cache

import pytest

from compiler.analysis.compilation import FailedProof, compile_tree
from compiler.analysis.equivalence.proof import prove
from compiler.dialects import detect, read
from compiler.errors import GerbangError
from compiler.lowering.options import Fragments, Options
from compiler.semantics.lower import machine
from tests.verification.generate import NAMES, configuration

DIALECTS = ("ios", "nftables", "routeros")
HANG = 60
"""Seconds after which a case counts as hanging: hundreds of times what one takes."""

WORDS = (
    *(
        "permit",
        "deny",
        "any",
        "host",
        "eq",
        "range",
        "0",
        "-1",
        "65535",
        "65536",
        "4294967296",
        "9" * 5000,
        "0x1f",
        "1e9",
    ),
    *(
        "{",
        "}",
        "{ {",
        "[",
        "]",
        '"',
        "'",
        "\\",
        ";",
        ",",
        "!",
        "!=",
        "&",
        "|",
        "^",
        "=",
        "@",
        "@x",
        "$x",
        "#",
        "*",
        "..",
        ":::",
    ),
    *("::/0", "1.2.3.4", "1.2.3.4/33", "300.1.1.1", "255.0.255.0", "10.0.0.0-9.0.0.0", "0.0.0.0/0", "fe80::%eth0"),
    *("\x00", "\ufeff", "\u202e", "é", "日本", "\U0001f525", "\r", "\x1b[31m", "\t" * 50, " " * 300, "a" * 3000),
    *(
        "table ip x {",
        "chain c {",
        "jump acl-INSIDE",
        "goto c",
        "set s { type ipv4_addr; }",
        "elements = {",
        "policy drop;",
    ),
    *(
        "/ip firewall filter",
        "add chain=forward",
        "[find where",
        "remove",
        "set 0",
        "disabled=yes",
        "src-address=!",
        "jump-target=c",
    ),
    *(
        "object-group network",
        "ip access-list extended",
        "time-range",
        "access-list 1",
        "interface",
        "ip access-group",
        "remark",
    ),
    *(
        "established",
        "fragments",
        "log",
        "reflect",
        "evaluate",
        "ttl",
        "dscp",
        "tos",
        "match-all",
        "+syn",
        "-ack",
        "option",
    ),
    *(
        "iifname",
        "meta",
        "l4proto",
        "ct state",
        "vmap",
        "th dport",
        "frag frag-off",
        "counter packets",
        "limit rate",
        "dup to",
    ),
)


@contextmanager
def bounded():
    """Fails a case that hangs, with the place where it does."""

    def stop(number, frame):
        raise TimeoutError(f"a case runs longer than {HANG} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, HANG)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@lru_cache(maxsize=12)
def seeds(dialect: str) -> tuple[str, ...]:
    """Good texts of a dialect."""
    texts = []
    for seed in range(4):
        text = configuration(random.Random(seed).choice, ecn=False, six=dialect != "routeros" and seed % 2 == 0)
        if dialect != "ios":
            names = {name: there for name, there in NAMES.items() if f"interface {name}\n" in text}
            tree = read(text, "seed", dialect="ios")
            options = Options(interfaces=names, fragments=Fragments.UNTRACKED)
            text = compile_tree(tree, dialect, options, prove=False).text
        texts.append(text)
    return tuple(texts)


def spoiled(dialect: str, rng: random.Random) -> str:
    """A text of the dialect with a few random faults."""
    text = rng.choice(seeds(dialect))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        kind = rng.randrange(8)
        at = rng.randrange(len(text) + 1)
        if kind == 0:
            text = text[:at] + rng.choice(WORDS) + text[at:]
        elif kind == 1:
            text = text[:at] + " " + rng.choice(WORDS) + " " + text[at:]
        elif kind == 2:
            text = text[:at] + text[at + rng.choice((1, 1, 2, 20, 200)) :]
        elif kind == 3:
            words = text.split(" ")
            words[rng.randrange(len(words))] = rng.choice(WORDS)
            text = " ".join(words)
        elif kind == 4:
            lines = text.split("\n")
            lines.insert(rng.randrange(len(lines)), rng.choice(lines))
            text = "\n".join(lines)
        elif kind == 5:
            lines = text.split("\n")
            rng.shuffle(lines)
            text = "\n".join(lines) if rng.random() < 0.2 else text
        elif kind == 6:
            text = (
                text[:at] + chr(rng.choice((0, 7, 10, 13, 34, 39, 123, 125, 0x2028, 0xFFFD, 0x10FFFF))) + text[at + 1 :]
            )
        else:
            other = rng.choice(seeds(rng.choice(DIALECTS)))
            start = rng.randrange(len(other))
            text = text[:at] + other[start : start + rng.randrange(300)] + text[at:]
    return text


def survives(text: str, dialect: str | None, against: str) -> str:
    """What becomes of a text: read, compiled to each dialect, proved against another. GerbangErrors are outcomes."""
    try:
        tree = read(text, "fuzz", dialect=dialect, unmodelled="bound")
        read(text, "fuzz", dialect=dialect)
    except GerbangError as error:
        printable(error)
        return "unreadable"
    interfaces = set()
    try:
        for bound in ("lower", "upper"):
            interfaces |= machine(tree, bound=bound).interfaces()
    except GerbangError as error:
        printable(error)
        return "refused"
    names = {name: f"if{number}" for number, name in enumerate(sorted(interfaces))}
    outcome = "compiled"
    for target in DIALECTS:
        try:
            options = Options(interfaces={} if target == "ios" else names, fragments=Fragments.UNTRACKED, bound=True)
            compile_tree(tree, target, options)
        except GerbangError as error:
            printable(error)
            outcome = "refused"
    try:
        prove(machine(tree), machine(read(against, "good")))
    except GerbangError as error:
        printable(error)
    return outcome


def printable(error: GerbangError) -> None:
    """An error is a text for people; a failed proof of our own output is a fault of the compiler."""
    assert error.render().strip()
    assert not isinstance(error, FailedProof), error.render()


def _fuzz(part: int, count: int) -> None:
    rng = random.Random(part)
    outcomes = {"unreadable": 0, "compiled": 0, "refused": 0}
    for number in range(count):
        dialect = DIALECTS[number % 3]
        text = spoiled(dialect, rng)
        with bounded():
            try:
                outcomes[survives(text, rng.choice((dialect, None)), seeds(dialect)[0])] += 1
            except Exception as error:  # the text is what one needs to know
                raise AssertionError(
                    f"{type(error).__name__}: {error}\n--- {dialect}, part {part}, case {number}\n{text!r}"
                ) from error
    # Some of the texts must still be readable, or the later stages are never tried.
    assert outcomes["compiled"] + outcomes["refused"] > count / 50, outcomes


@pytest.mark.parametrize("part", range(6))
def test_spoiled_texts_end_in_a_gerbang_error(part):
    _fuzz(part, 100)


@pytest.mark.long
@pytest.mark.parametrize("part", range(20))
def test_ten_thousand_spoiled_texts_end_in_a_gerbang_error(part):
    _fuzz(1000 + part, 500)


NFT = "table ip x {{\n chain f {{ type filter hook forward priority 0; policy accept;\n {} \n }}\n {}\n}}\n"
ODD_MASKS = "\n".join(f" permit ip 10.{n}.0.{n} 0.85.{170 - n}.{85 + n} 172.16.0.0 0.{n}.170.85" for n in range(40))
NASTY = {
    "nothing": "",
    "one NUL": "\x00",
    "only blanks": " \n\t\n" * 1000,
    "deep braces": "table ip x { chain y { ip saddr " + "{" * 50_000,
    "deep parentheses": NFT.format("ip saddr " + "(" * 20_000 + "1.1.1.1" + ")" * 20_000 + " drop", ""),
    "deep find": "/ip firewall filter\nremove " + "[find " * 20_000,
    "deep scopes": "/ip firewall filter\n" + "{" * 20_000,
    "huge number": "access-list 101 permit tcp any eq " + "9" * 100_000 + " any\n",
    "huge sequence": "ip access-list extended X\n " + "9" * 50_000 + " permit ip any any\n",
    "huge length": NFT.format("ip saddr 10.0.0.0/" + "9" * 50_000 + " drop", ""),
    "huge priority": "table ip x { chain f { type filter hook forward priority " + "9" * 5000 + "; }\n}\n",
    "long line": "access-list 10 permit 10.0.0.1" + " " * 1_000_000 + "x\n",
    "long word": "ip access-list extended " + "x" * 1_000_000 + "\n permit ip any any\n",
    "long remark": "ip access-list extended X\n remark " + "x " * 300_000 + "\n permit ip any any\n",
    "continued for ever": "/ip firewall filter\nadd chain=forward \\\n" * 5000,
    "unfinished string": '/ip firewall filter\nadd chain=forward comment="' + "x\n" * 20_000,
    "chain of groups": "".join(f"object-group network G{n}\n group-object G{n + 1}\n" for n in range(3000)),
    "groups in a circle": "object-group network A\n group-object B\nobject-group network B\n group-object A\n"
    "ip access-list extended X\n permit ip object-group A any\n",
    "groups that double": "object-group network G0\n host 10.0.0.1\n"
    + "".join(f"object-group network G{n + 1}\n group-object G{n}\n 10.{n}.0.0 255.255.0.0\n" for n in range(200))
    + "ip access-list extended X\n permit ip object-group G200 object-group G199\n",
    "long jumps": "table ip x {\n"
    + "".join(f"chain c{n} {{\n jump c{n + 1}\n }}\n" for n in range(3000))
    + "chain c3000 {\n drop\n }\n chain f { type filter hook forward priority 0;\n jump c0\n }\n}\n",
    "jumps that double": "table ip x {\n"
    + "".join(f"chain c{n} {{\n ip saddr 10.{n}.0.0/16 jump c{n + 1}\n jump c{n + 1}\n }}\n" for n in range(40))
    + "chain c40 {\n drop\n }\n chain f { type filter hook forward priority 0;\n jump c0\n }\n}\n",
    "RouterOS jumps that double": "/ip firewall filter\n"
    + "".join(f"add chain=c{n} action=jump jump-target=c{n + 1} protocol={p}\n" for n in range(40) for p in (6, 17))
    + "add chain=c40 action=drop\nadd chain=forward action=jump jump-target=c0\n",
    "a loop of jumps": NFT.format("jump a", "chain a {\n jump b\n }\n chain b {\n jump a\n }"),
    "a wide set": NFT.format(
        "ip saddr { " + ", ".join(f"10.{n >> 15}.{n >> 7 & 255}.{n << 1 & 255}" for n in range(60_000)) + " } drop", ""
    ),
    "wide concatenations": NFT.format(
        "ip saddr . ip daddr . tcp dport { "
        + ", ".join(f"10.0.{n}.0/24 . 10.{n}.0.0-10.{n}.9.7 . {n}-{n + 300}" for n in range(200))
        + " } drop",
        "",
    ),
    "odd masks of many bits": "ip access-list extended X\n" + ODD_MASKS + "\n",
    "odd masks denied": "ip access-list extended X\n" + ODD_MASKS.replace("permit", "deny") + "\n permit ip any any\n",
    "sixteen free bits": "ip access-list extended X\n"
    + "".join(
        f" {'deny' if n % 2 else 'permit'} ip 0.0.0.{n} 85.85.85.84 {n}.0.0.0 170.170.170.170\n" for n in range(30)
    )
    + " permit tcp any any established\n",
    "groups of odd netmasks": "object-group network ODD\n"
    + "".join(f" 10.{n}.0.{n} 255.{85 + n}.{170 - n}.255\n" for n in range(30))
    + "ip access-list extended X\n permit ip object-group ODD object-group ODD\n",
    "many ports": "ip access-list extended X\n"
    + "".join(
        f" permit tcp any eq {' '.join(str(1000 + 7 * n + k * 500) for k in range(10))} any neq {n} {n + 2}\n"
        for n in range(100)
    ),
    "many interfaces": "".join(f"interface Serial{n}\n ip access-group X in\n" for n in range(60))
    + "ip access-list extended X\n permit tcp any any eq 80\n deny udp any any\n",
    "carriage returns": "ip access-list extended X\r\n permit ip any any\r\n" * 50,
}


@pytest.mark.parametrize("name", NASTY)
def test_nasty_texts_stay_bounded(name):
    text = NASTY[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with bounded():
        for dialect in dict.fromkeys((detect(text), None)):
            survives(text, dialect, seeds("ios")[0])
    # In KiB on Linux: the most that the process ever had grew by less than one GiB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 20
