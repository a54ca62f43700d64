"""A router to try the verbs on."""

import pytest

from compiler.cli.main import main

ROUTER = """\
hostname edge
interface GigabitEthernet0/1
 ip address 10.0.0.1 255.255.255.0
interface GigabitEthernet0/2
 ip address 172.16.6.254 255.255.0.0
 ip access-group 101 in
access-list 101 remark clients without FTP
access-list 101 deny tcp 172.16.6.0 0.0.248.3 host 10.0.0.2 eq ftp
access-list 101 permit ip any any
end
"""


@pytest.fixture
def router(tmp_path):
    """The path of a configuration with list 101, bound inbound on GigabitEthernet0/2."""
    path = tmp_path / "router.cfg"
    path.write_text(ROUTER)
    return path


@pytest.fixture
def changed(tmp_path):
    """The same router, with the list open to one more client."""
    path = tmp_path / "changed.cfg"
    path.write_text(ROUTER.replace("0.0.248.3", "0.0.248.1"))
    return path


@pytest.fixture
def gerbang(capsys):
    """Runs a command line in this process and returns its exit code, output and messages."""

    def run(*words):
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run
