"""`python -m xml_safe FILE XPATH`: prints as `xmllint --xpath` does, and fails in one line."""

import os
import shutil
import subprocess
import sys

import pytest

XML = '<r xmlns:p="urn:p" a="1"><b k="v">one</b><b>two</b><!--c--><?do it?><p:x/></r>\n'
PRINTED = {
    "//b": '<b xmlns:p="urn:p" k="v">one</b>\n<b xmlns:p="urn:p">two</b>\n',
    "//b[1]/@k": ' k="v"\n',
    "//@*": ' a="1"\n k="v"\n',
    "//b/text()": "one\ntwo\n",
    "//comment()": "<!--c-->\n",
    "//processing-instruction()": "<?do it?>\n",
    "count(//b)": "2\n",
    "1 div 3": "0.333333\n",
    "123456789": "1.23457e+08\n",
    "100000000000000000000": "1e+20\n",
    "0.1 + 0.2": "0.3\n",
    "-1.50": "-1.5\n",
    "1 div 0": "Infinity\n",
    "-1 div 0": "-Infinity\n",
    "0 div 0": "NaN\n",
    "string(//b)": "one\n",
    "''": "\n",
    "'x'": "x\n",
    "true()": "true\n",
    "1 = 2": "false\n",
    "//r/namespace::p": ' xmlns:p="urn:p"\n',
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.xml"
    path.write_text(XML)
    return path


@pytest.fixture
def cli(run_python):
    return lambda *args, **options: run_python("-m", "xml_safe", *args, **options)


@pytest.mark.parametrize(("expr", "printed"), PRINTED.items(), ids=PRINTED.keys())
def test_results(cli, file, expr, printed):
    ended = cli(file, expr)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, printed, "")


@pytest.mark.skipif(not shutil.which("xmllint"), reason="no xmllint here")
@pytest.mark.parametrize("expr", [*PRINTED, "/", "/ | //b", "//p:x | /r/@a", "//r | //b"])
def test_results_are_those_of_xmllint(cli, file, expr):
    xmllint = subprocess.run(["xmllint", "--xpath", expr, file], capture_output=True, text=True)
    if xmllint.returncode:
        assert cli(file, expr).returncode
    else:
        # xmllint leaves out the declarations that an element inherits.
        printed = [text.replace('<b xmlns:p="urn:p"', "<b") for text in (cli(file, expr).stdout, xmllint.stdout)]
        assert printed[0] == printed[1]


def test_an_empty_match_prints_nothing(cli, file):
    ended = cli(file, "//zz")
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr


FAILURES = {
    "a missing file": ("missing.xml", "//b"),
    "a directory": (".", "//b"),
    "an empty file": ("/dev/null", "//b"),
    "a dash": ("-", "//b"),
    "malformed XML": ("bad.xml", "//b"),
    "a bad expression": ("a.xml", "//b["),
    "an empty expression": ("a.xml", ""),
    "an unknown function": ("a.xml", "foo()"),
    "an unbound prefix": ("a.xml", "//q:b"),
    "an unbound prefix of a function": ("a.xml", "q:foo()"),
    "an expression of many lines": ("a.xml", "//b[\n\n\n"),
    "an absurd expression": ("a.xml", "(" * 20_000),
    "a name of many lines": ("a\nb.xml", "//b"),
    "an empty name": ("", "//b"),
    "a name that is not UTF-8": (b"\xff.xml", "//b"),
    "an expression that is not UTF-8": ("a.xml", b"\xff"),
}


@pytest.mark.parametrize("args", FAILURES.values(), ids=FAILURES.keys())
def test_failures_are_one_line(cli, file, args):
    (file.parent / "bad.xml").write_text("<a>\n&x;&y;\n</b>")
    ended = run_bytes(args, file.parent)
    assert ended.returncode in (1, 2)
    assert ended.stdout == b""
    assert ended.stderr.count(b"\n") == 1 and ended.stderr.endswith(b"\n") and len(ended.stderr) > 10
    assert b"Traceback" not in ended.stderr


def run_bytes(args, folder, **options):
    command = [sys.executable, "-m", "xml_safe", *args]
    return subprocess.run(command, capture_output=True, cwd=folder, timeout=60, **options)


def test_a_failure_names_the_file_and_the_place(cli, file):
    assert "missing.xml" in cli(file.parent / "missing.xml", "//b").stderr
    (file.parent / "bad.xml").write_text("<a>\n</b>")
    ended = cli(file.parent / "bad.xml", "//b")
    assert "bad.xml" in ended.stderr
    assert "2" in ended.stderr


def test_wrong_usage(cli, file):
    for args in ((), (file,), (file, "//b", "//b"), ("--nope",)):
        ended = cli(*args)
        assert ended.returncode == 2
        assert ended.stdout == ""
        assert "usage" in ended.stderr
        assert "Traceback" not in ended.stderr


def test_help(cli):
    ended = cli("--help")
    assert ended.returncode == 0
    assert "XPATH" in ended.stdout


def test_output_is_utf_8_in_every_locale(file):
    file.write_text("<a>é€𝄞</a>")
    for env in ({"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}):
        ended = run_bytes([file, "string(/a)"], file.parent, env={**os.environ, **env})
        assert (ended.returncode, ended.stdout) == (0, "é€𝄞\n".encode())


def test_a_reader_that_hangs_up(file):
    file.write_text("<a>" + "<b>text</b>" * 100_000 + "</a>")
    command = [sys.executable, "-m", "xml_safe", file, "//b"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"<b>text</b>\n"
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_external_entities_are_not_printed(cli, file):
    (file.parent / "secret.txt").write_text("top secret")
    file.write_text(f'<!DOCTYPE a [<!ENTITY x SYSTEM "{file.parent}/secret.txt">]><a>&x;</a>')
    for expr in ("/", "/a", "string(/a)"):
        ended = cli(file, expr)
        assert "top secret" not in ended.stdout + ended.stderr
