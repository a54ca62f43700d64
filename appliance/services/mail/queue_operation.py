"""What root does to the queue: a page of it, one message's structure or content, and postsuper on many messages.

Run by the helper: ``python -I -m appliance.services.mail.queue_operation ACTION FOLDER …``; the folder is that of
``main.cf``. What is free text comes as JSON on standard input.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from appliance.services.mail.queue_page import Wanted, page_of
from appliance.services.mail.queue_structure import structure_of

__all__ = ["main"]

POSTSUPER = {"hold": "-h", "release": "-H", "requeue": "-r", "delete": "-d"}
IDS = re.compile(r"[0-9A-Za-z]{5,20}", re.ASCII)
MOST_IDS = 2_000
LARGEST = 64 << 20
"""Bytes of a message that is read for its structure."""
LONGEST_SHOWN = 200_000
"""Bytes of a message whose content was asked for."""


def main(words: Sequence[str]) -> int:
    """Do one action and print its answer."""
    action, folder, *rest = words
    if action == "list":
        answer: Any = _list(folder, *rest)
    elif action == "view":
        answer = structure_of(_message(folder, rest[0], LARGEST))
    elif action == "content":
        number, reason = rest
        text = _message(folder, number, LONGEST_SHOWN).decode("utf-8", "replace")
        _noted(folder, f"{number}: opened by {reason}")
        answer = {"text": text}
    else:
        answer = _postsuper(folder, POSTSUPER[action])
    print(json.dumps(answer))
    return 0


def _list(folder: str, queue: str, offset: str, count: str) -> Any:
    search = str(json.loads(sys.stdin.read() or '""'))
    wanted = Wanted(queue=queue, search=search, offset=int(offset), count=int(count))
    with _tool("postqueue", "-c", folder, "-j") as process:
        assert process.stdout is not None
        page = page_of(process.stdout, wanted)
    if process.returncode != 0:
        raise SystemExit(f"postqueue ended with {process.returncode}")
    return page


def _message(folder: str, number: str, most: int) -> bytes:
    with _tool("postcat", "-c", folder, "-hb", "-q", number) as process:
        assert process.stdout is not None
        read = process.stdout.read(most)
        while process.stdout.read(1 << 20):  # so that it ends by itself
            pass
    if process.returncode != 0:
        raise SystemExit(f"there is no message {number} in the queue")
    return read


def _noted(folder: str, words: str) -> None:
    """A line of the mail's own log (postlog(1)). Raises SystemExit: what cannot be noted is not shown."""
    command = ["/usr/sbin/postlog", "-c", folder, "-t", "gerbang/opened", words]
    # It says the line on its error output too.
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"postlog ended with {done.returncode}")


def _postsuper(folder: str, option: str) -> Any:
    """How many were told to it, and what it said of them. It passes over a message that is not there any more."""
    given = json.loads(sys.stdin.read() or "[]")
    numbers = list(_checked(given))
    if not numbers:
        raise SystemExit("no message was named")
    done = subprocess.run(
        ["/usr/sbin/postsuper", "-c", folder, option, "-"],
        input="".join(f"{one}\n" for one in numbers),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr.strip() or f"postsuper ended with {done.returncode}")
    if option == POSTSUPER["requeue"]:
        # pickup(8) would look by itself, but only once a minute.
        subprocess.run(["/usr/sbin/postkick", "-c", folder, "public", "pickup", "W"], check=False)
    counted = [int(found) for found in re.findall(r": (\d+) messages?\b", done.stderr)]
    return {"asked": len(numbers), "done": sum(counted)}


def _checked(given: Any) -> Iterator[str]:
    if not isinstance(given, list) or len(given) > MOST_IDS:
        raise SystemExit("that is no list of queue ids")
    for one in given:
        if not isinstance(one, str) or not IDS.fullmatch(one) or one == "ALL":
            raise SystemExit("that is no queue id")
        yield one


def _tool(name: str, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([f"/usr/sbin/{name}", *words], stdout=subprocess.PIPE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
