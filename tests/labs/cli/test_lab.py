"""``gerbang lab``: its actions, what they print, and their exit codes."""

import io
import json
import subprocess
import sys

import pytest

from compiler.cli.main import main
from labs.cli.progress import LabProgress


def out(capsys):
    return capsys.readouterr().out


def test_a_run_whose_assertions_hold_is_0(lab_folder, small, capsys):
    assert main(["lab", "run", str(lab_folder(small))]) == 0
    printed = out(capsys)
    assert "small in the simulator, seed 1" in printed
    assert "held     connected: 1 connection of web connected" in printed
    assert "2 held, 0 failed" in printed


def test_a_run_with_an_assertion_that_fails_is_1_and_says_where(lab_folder, small, capsys):
    folder = lab_folder(small.replace("refused: closed", "connected: closed"))
    assert main(["lab", "run", str(folder), "--verbose"]) == 1
    printed = out(capsys)
    assert "FAILED   connected: 1 connection of 1 not connected: closed#0" in printed
    assert f"{folder}/lab.yaml:18:5: connected closed" in printed
    assert "1 held, 1 failed" in printed
    assert "closed: 1 connection, 1 failed" in printed


def test_a_wrong_file_is_2_with_all_errors(lab_folder, small, capsys):
    folder = lab_folder(small.replace("http: /", "htpp: /").replace("rate: 3 Mbit/s", "rate: 3"))
    assert main(["lab", "run", str(folder)]) == 2
    told = capsys.readouterr().err
    assert f"{folder}/lab.yaml:10:" in told
    assert f"{folder}/lab.yaml:12:" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--capture", "wann"], "did you mean 'wan'"),
        (["--trace", "wbe"], "did you mean 'web'"),
        (["--capture", "wan", "--captures", "/nowhere"], "no folder '/nowhere'"),
        (["--report", ""], "--report: expected the name of a file"),
        (["--variant", "x"], "no variant 'x'"),
        (["--set", "a=b"], "no parameter 'a'"),
        (["--all-variants"], "has no variants"),
        (["--kernel", "--trace", "web"], "for the simulator"),
    ],
)
def test_wrong_use_is_2(lab_folder, small, capsys, words, said):
    assert main(["lab", "run", str(lab_folder(small)), *words]) == 2
    assert said in capsys.readouterr().err


def test_json_and_a_report(lab_folder, small, capsys, tmp_path):
    report = tmp_path / "report.html"
    arguments = ["lab", "run", str(lab_folder(small)), "--seed", "5", "--format", "json", "--report", str(report)]
    assert main(arguments) == 0
    document = json.loads(out(capsys))
    assert document["worlds"][0]["seed"] == 5
    assert "--seed 5" in report.read_text()
    first = report.read_bytes()
    assert main(arguments) == 0
    assert report.read_bytes() == first


@pytest.mark.parametrize("stays", [False, True])
def test_a_capture_that_an_assertion_looks_at_stays_only_in_a_folder_that_is_named(
    lab_folder, small, capsys, tmp_path, monkeypatch, stays
):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    lab = str(lab_folder(small + "  - captured: wan\n"))
    assert main(["lab", "run", lab, *(["--captures", str(here)] if stays else [])]) == 0
    printed = out(capsys)
    assert "held     captured: " in printed
    assert ("captured wan: " in printed) is stays
    assert [one.name for one in here.iterdir()] == (["small-wan.pcapng"] if stays else [])


def test_a_run_that_is_stopped_leaves_no_part_of_a_capture(lab_folder, small, tmp_path, monkeypatch):
    def stopped(world, *_):
        assert list(tmp_path.rglob("small-wan.pcapng"))
        raise KeyboardInterrupt

    monkeypatch.setattr("labs.simulated._run", stopped)
    (tmp_path / "captures").mkdir()
    words = ["lab", "run", str(lab_folder(small)), "--capture", "wan", "--captures", str(tmp_path / "captures")]
    assert main(words) == 130
    assert list((tmp_path / "captures").iterdir()) == []


def test_a_capture_is_written_where_it_is_wanted(lab_folder, small, capsys, tmp_path):
    folder = tmp_path / "captures"
    folder.mkdir()
    assert main(["lab", "run", str(lab_folder(small)), "--capture", "wan", "--captures", str(folder)]) == 0
    (written,) = folder.iterdir()
    assert written.stat().st_size > 200
    assert f"captured wan: {written}" in out(capsys)


def test_a_trace_follows_the_packets(lab_folder, small, capsys):
    assert main(["lab", "run", str(lab_folder(small)), "--trace", "web"]) == 0
    assert "tcp 10.0.0.2" in out(capsys)


def test_variants_run_one_after_the_other(lab_folder, small, capsys):
    text = small.replace("connect: 81", 'connect: "${port}"')
    text += "parameters: {port: 81}\nvariants: {shut: {port: 82}, open: {port: 80}}\n"
    assert main(["lab", "run", str(lab_folder(text)), "--all-variants"]) == 1
    printed = out(capsys)
    assert "small, variant shut, in the simulator" in printed
    assert printed.endswith("2 variants: wrong: open\n")


def test_a_drawing_to_a_file(lab_folder, small, capsys, tmp_path):
    picture = tmp_path / "x.svg"
    assert main(["lab", "graph", str(lab_folder(small)), "--format", "svg", "--output", str(picture)]) == 0
    assert picture.read_text().startswith("<svg ")
    assert main(["lab", "graph", str(lab_folder(small))]) == 0
    assert out(capsys).startswith("small: 3 nodes, 2 links\n")


def test_check_reads_and_warns(lab_folder, small, capsys):
    assert main(["lab", "check", str(lab_folder(small.replace("  - refused: closed\n", "")))]) == 0
    told = capsys.readouterr()
    assert "small can be read: 3 nodes, 2 links, 2 activities, 1 fault, 1 assertion, 1 warning" in told.out
    assert "warning: nothing serves tcp port 81" in told.err


def test_list_tells_of_labs_and_of_files_that_cannot_be_read(lab_folder, small, capsys):
    folder = lab_folder(small + "description: A small one. And more.\n")
    assert main(["lab", "list", str(folder)]) == 0
    assert out(capsys).endswith("A small one\n")
    assert main(["lab", "list", str(folder), "--format", "json"]) == 0
    assert json.loads(out(capsys))["labs"][0]["name"] == "small"
    (folder / "broken").mkdir()
    (folder / "broken" / "lab.yaml").write_text("name: [\n")
    assert main(["lab", "list", str(folder)]) == 2
    told = capsys.readouterr()
    assert "A small one" in told.out
    assert "broken/lab.yaml:2:1" in told.err


def test_list_tells_of_a_lab_in_a_file_of_another_name(lab_folder, small, capsys):
    folder = lab_folder(small)
    (folder / "mail.yaml").write_text(small.replace("name: small", "name: further"))
    (folder / "properties.yaml").write_text("properties: []\nlinks: []\n")
    assert main(["lab", "list", str(folder), "--format", "json"]) == 0
    listed = json.loads(out(capsys))["labs"]
    assert [one["name"] for one in listed] == ["small", "further"]
    assert listed[1]["folder"].endswith("mail.yaml")
    assert main(["lab", "check", listed[1]["folder"]]) == 0


def test_the_verb_is_cheap_to_load():
    code = (
        "import sys, labs.cli.lab; heavy = {'yaml', 'matplotlib', 'networkx', 'jinja2', 'numpy', 'pyroute2', 'scapy'};"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("module", "action"), [("networkx", "graph"), ("matplotlib", "run --report /dev/null")])
def test_a_missing_extra_is_named(lab_folder, small, monkeypatch, capsys, module, action):
    monkeypatch.setitem(sys.modules, module, None)
    verb, *more = action.split()
    assert main(["lab", verb, str(lab_folder(small)), *more]) == 2
    assert "pip install 'gerbang[labs]'" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_shows_lab_time_and_cleans_up(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    moments = iter([0.0, 0.1, 2.0, 2.0, 5.0, 5.0])
    monkeypatch.setattr("labs.cli.progress.time.monotonic", lambda: next(moments))
    stream = Terminal()
    with LabProgress("small in the kernel", stream) as progress:
        progress(1, 10_000_000_000)
        progress(2_500_000_000, 10_000_000_000)
    assert "25%  2.5 s of 10 s, 2 s gone" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_progress_is_silent_where_nobody_watches():
    stream = io.StringIO()
    with LabProgress("small", stream) as progress:
        progress(1, 2)
    assert stream.getvalue() == ""
