"""The systemd supervisor against a real systemd that was booted for it."""

import sys

import pytest

from tests.appliance.supervisor.booted import run_booted, why_not

pytestmark = [pytest.mark.long, pytest.mark.skipif(bool(why_not()), reason=why_not())]

TALKS = """
import sys
sys.path[:] = {path!r}
from pathlib import Path
from appliance.contract.programs import Program, Ready
from appliance.supervisor.choosing import supervisor_of_this_machine
from appliance.supervisor.errors import SupervisionFailed
from appliance.supervisor.places import Places
places = Places(Path("/run/gerbang-programs"), Path("/var/lib/gerbang-programs"))
supervisor = supervisor_of_this_machine(places)
print("chosen", type(supervisor).__name__)
served = '''
while read -r line; do echo; done < /dev/null
echo "word is $(cat $1/word) as $(id -un), may write: $(touch /etc/x 2>/dev/null && echo yes || echo no)"
trap 'echo "now $(cat $1/word)"' HUP
touch $2/mine $3/mine && echo ready
while :; do sleep 0.1; done
'''
for number in (1, 2):
    Path(f"/var/g/{{number}}").mkdir(parents=True)
    Path(f"/var/g/{{number}}/word").write_text(f"generation{{number}}")
web = Program(name="m.web", command=("/bin/sh", "-c", served, "sh", "{{files}}", "{{run}}", "{{state}}"), user="daemon",
              ready=Ready(line="ready", within=20, settle=0.5), reload="HUP", stop_within=2)
top = Program(name="m.top", command=("/bin/sleep", "600"), requires=("m.web",), ready=Ready(settle=0.1))
first = supervisor.start(web, "/var/g/1")
print("web", first.state.value, first.process > 1, first.since > 1e9)
print("top", supervisor.start(top, "/var/g/1").state.value)
second = supervisor.start(web, "/var/g/2")
print("same process", second.process == first.process)
import time; time.sleep(0.5)
print("log", [line for line in supervisor.log("m.web", 10) if line])
# Whoever is root may ask systemd for anything by its own socket, unless he cannot reach it.
asks = '''
use Socket;
for my $place ("/run/systemd/private", "/run/gerbang-helper/helper.sock") {{
    socket(my $one, PF_UNIX, SOCK_STREAM, 0);
    print "reaches $place; " if connect($one, sockaddr_un($place));
}}
$| = 1;
print "asked as $<", (-e "/var/lib/gerbang/store" ? ", reads the store" : ""), chr(10);
sleep 600;
'''
for place in ("/run/gerbang-helper", "/var/lib/gerbang"):
    Path(place).mkdir(parents=True)
Path("/var/lib/gerbang/store").touch()
import socket
listening = socket.socket(socket.AF_UNIX)
listening.bind("/run/gerbang-helper/helper.sock")
listening.listen()
socket.socket(socket.AF_UNIX).connect("/run/systemd/private")
root = Program(name="m.root", command=("/usr/bin/perl", "-e", asks), ready=Ready(line="asked", within=20))
supervisor.start(root, "/var/g/1")
print("root", [line for line in supervisor.log("m.root", 10) if line])
try:
    supervisor.start(Program(name="m.bad", command=("/bin/sh", "-c", "echo bad option; exit 3"), restarts=1,
                             ready=Ready(line="never", within=8)), "/var/g/1")
except SupervisionFailed as error:
    print("bad", str(error).splitlines()[0], "| bad option" if "bad option" in str(error) else "")
print("status", [(one.program, one.state.value) for one in supervisor.status()])
print("stopped", supervisor.stop("m.web").state.value)
print("status", [(one.program, one.state.value) for one in supervisor.status()])
"""


def test_units_run_under_a_real_systemd() -> None:
    code = TALKS.format(path=sys.path)
    said = run_booted(f"{sys.executable} -c '{code.replace(chr(39), chr(39) + chr(92) + chr(39) + chr(39))}'")
    lines = dict(line.partition(" ")[::2] for line in said.splitlines()[:6])
    assert lines.get("chosen") == "SystemdSupervisor", said
    assert lines["web"] == "ready True True", said
    assert lines["top"] == "ready", said
    assert lines["same"] == "process True", said
    assert "word is generation1 as daemon, may write: no" in said
    assert "now generation2" in said
    assert "root ['asked as 0']" in said, said
    assert "bad m.bad: it did not stay up | bad option" in said
    assert "('m.top', 'stopped'), ('m.web', 'stopped')" in said
