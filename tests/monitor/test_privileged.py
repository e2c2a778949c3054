"""Root does for us two things with fixed words, and decides by its own table what they are."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.safe import privileged, root_helper
from monitor.safe.paths import Done, Failed, Owner, Refused
from monitor.safe.root_helper import Refusal, answer_to, read_table
from tests.conftest import needed
from tests.monitor.paths_story import CHILD, NOBODY, a_home, looks, needs_root, python_for_all
from tests.monitor.test_paths import HOSTILE

SOURCE = Path(root_helper.__file__)
SUDOERS = SOURCE.parents[2] / "systemd" / "vigia.sudoers"


@pytest.fixture
def story():
    with a_home() as story:
        yield with_table(story)


@pytest.fixture(scope="module")
def calm():
    """One home for all who must not change it."""
    with a_home() as story:
        yield with_table(story)


def with_table(story):
    story.table = story.home.parent / "etc" / "roots.toml"
    story.table.parent.mkdir(mode=0o755)
    write_table(story, a_row(story))
    return story


def a_row(story, **changes):
    row = {
        "path": f"{story.home}/modelos",
        "uid": NOBODY,
        "gid": NOBODY,
        "file_mode": 0o640,
        "kept": [f"{story.home}/modelos/kept"],
    } | changes
    return "[[root]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in row.items())


def write_table(story, text):
    story.table.write_text(text)
    story.table.chmod(0o644)


def ask(story, path, verb="take_ownership"):
    return answer_to(verb, json.dumps({"path": str(path)}).encode() + b"\n", str(story.table))


# --- the table -----------------------------------------------------------------------------------


@needs_root
def test_the_table_says_whose_it_becomes(story):
    path = story.make("modelos/victor/y.mp4", owner=Owner(0, 0))
    assert isinstance(ask(story, path), Done)
    assert (path.stat().st_uid, path.stat().st_gid) == (NOBODY, NOBODY)
    assert isinstance(ask(story, story.modelos / "new" / "a", "make_directory"), Done)
    assert (story.modelos / "new" / "a").stat().st_uid == NOBODY


@needs_root
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_no_hostile_path_is_served(calm, text):
    before = looks(calm.home), looks(calm.secret)
    for verb in root_helper.VERBS:
        for path in (text, f"{calm.home}/{text}"):
            answer = ask(calm, path, verb)
            if isinstance(answer, Done):  # a plain name below modelos, written in an odd way
                assert "/../" not in path
                assert path.startswith(f"{calm.home}/")
    if not any(name in text for name in ("victor", "modelos")):
        assert (looks(calm.home), looks(calm.secret)) == before
    assert looks(calm.secret) == before[1]


@needs_root
def test_what_the_table_keeps_is_kept(story):
    (story.modelos / "kept").mkdir()
    for path in ("kept", "kept/a", "./kept//a"):
        assert "not to be touched" in ask(story, f"{story.modelos}/{path}", "make_directory").why


@needs_root
@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (lambda t: t.chmod(0o666), "others than root may write"),
        (lambda t: t.chmod(0o664), "others than root may write"),
        (lambda t: os.chown(t, NOBODY, 0), "a stranger|not root's own"),
        (lambda t: t.parent.chmod(0o777), "everybody may write"),
        (lambda t: t.parent.chmod(0o775), "others than root may write"),
        (lambda t: os.chown(t.parent, NOBODY, 0), "a stranger"),
        (lambda t: (t.rename(f"{t}.x"), t.symlink_to(f"{t}.x")), "not a file of its own"),
        (lambda t: os.link(t, f"{t}.x"), "not a file of its own"),
        (lambda t: (t.unlink(), os.mkfifo(t)), "not a file of its own"),
        (lambda t: t.unlink(), "No such file"),
    ],
)
def test_a_table_that_others_could_have_written_is_refused(story, how, reason):
    path = story.make("modelos/victor/y.mp4", owner=Owner(0, 0))
    how(story.table)
    answer = ask(story, path)
    assert isinstance(answer, Refused | Failed)
    assert re.search(reason, answer.why), answer
    assert path.stat().st_uid == 0


@needs_root
@pytest.mark.parametrize(
    "changes",
    [
        *({"uid": 0, "owners": [NOBODY]}, {"uid": -1}, {"uid": 2**32 - 1}, {"uid": "root"}, {"uid": True}, {"uid": 1.5}),
        *({"gid": -1}, {"file_mode": 0o4755}, {"file_mode": 0o666}, {"folder_mode": 0o1777}),
        *({"path": "/etc"}, {"path": "/"}, {"path": "/usr/local/x"}, {"path": "/var/log"}, {"path": "srv/x"}),
        *({"path": "/srv/../etc"}, {"path": "/root"}, {"path": ""}, {"path": 7}, {"command": "sh"}),
        *({"owners": ["0"]}, {"owners": [-1]}, {"kept": [1]}),
    ],
    ids=str,
)  # fmt: skip
def test_a_row_that_gives_too_much_refuses_the_whole_table(story, changes):
    write_table(story, a_row(story, **changes))
    assert isinstance(ask(story, story.video), Refused)


@needs_root
@pytest.mark.parametrize(
    "text", ["", "not toml", "root = 1", "[[root]]\n", "[root]\npath='/srv/x'", "[[roots]]\n"]
)
def test_a_table_of_another_shape_is_refused(story, text):
    write_table(story, text)
    assert isinstance(ask(story, story.video), Refused)


@needs_root
def test_the_innermost_row_counts(story):
    write_table(
        story,
        a_row(story)
        + a_row(story, path=f"{story.modelos}/victor", uid=4711, gid=4711, owners=[NOBODY]),
    )
    found = [owner.uid for _, owner in read_table(str(story.table))]
    assert found == [NOBODY, 4711]
    ask(story, story.make("modelos/victor/y", owner=Owner(0, 0)))
    assert (story.victor / "y").stat().st_uid == 4711


# --- the words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"\n", b"{}", b"[]", b'"x"', b"null", b'{"path": 1}', b'{"path": null}', b"\xff\xfe"),
        *(b'{"path": "/x", "uid": 0}', b'{"path": ["/x"]}', b'{"path": "/x"} {"path": "/y"}', b"{" * 9000),
    ],
)  # fmt: skip
def test_a_request_is_one_path_and_nothing_else(tmp_path, line):
    answer = answer_to("take_ownership", line, str(tmp_path / "no"))
    assert isinstance(answer, Refused | Failed)


@pytest.mark.parametrize(
    "verb", ["", "chown", "take_ownership ", "../x", "--help", "__init__", "main"]
)
def test_there_are_two_verbs(tmp_path, verb):
    answer = answer_to(verb, b'{"path": "/x"}', str(tmp_path / "no"))
    assert "is not a verb" in answer.why
    assert sorted(root_helper.VERBS) == ["make_directory", "take_ownership"]


def run_helper(*words, line=b'{"path": "/x"}\n', source=SOURCE, **more):
    ran = subprocess.run(
        [python_for_all(), "-I", source, *words],
        input=line,
        capture_output=True,
        check=False,
        **more,
    )
    return ran.returncode, json.loads(ran.stdout)


@pytest.mark.parametrize("words", [(), ("take_ownership", "/etc/shadow"), ("-v", "take_ownership")])
def test_the_command_takes_one_word(words):
    code, answer = run_helper(*words)
    assert (code, answer["kind"]) == (1, "refused")


@needs_root
def test_a_helper_that_others_could_have_written_does_nothing(story):
    mine = story.home / "root_helper.py"
    shutil.copy(SOURCE, mine)
    mine.chmod(0o777)
    assert "may write" in run_helper("take_ownership", source=mine)[1]["why"]
    mine.chmod(0o755)
    os.chown(mine, NOBODY, 0)
    assert "root's own" in run_helper("take_ownership", source=mine)[1]["why"]


def test_the_helper_reads_nothing_of_the_callers(tmp_path):
    """Neither the environment nor the folder it is started in brings foreign code into it."""
    for module in ("json", "os", "re", "tomllib", "site", "sitecustomize", "usercustomize"):
        (tmp_path / f"{module}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    env = {
        "PYTHONPATH": str(tmp_path), "PYTHONHOME": str(tmp_path), "PYTHONSTARTUP": str(tmp_path / "os.py"),
        "HOME": str(tmp_path), "PYTHONINSPECT": "1", "PYTHONUSERBASE": str(tmp_path),
    }  # fmt: skip
    code, answer = run_helper("take_ownership", env=env, cwd=tmp_path)
    assert code in {1, 2}
    assert answer["kind"] in {"refused", "failed"}
    assert not (tmp_path / "ran").exists()


def test_the_helper_is_one_file_that_needs_only_python():
    tree = ast.parse(SOURCE.read_text())
    modules = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.split(".")[0] for module in modules} <= sys.stdlib_module_names
    assert SOURCE.read_text().startswith("#!/usr/bin/python3 -I\n")
    assert os.access(SOURCE, os.X_OK)


# --- sudo ----------------------------------------------------------------------------------------


def test_sudo_allows_two_whole_commands_and_no_pattern():
    lines = [line for line in SUDOERS.read_text().splitlines() if not line.startswith("#")]
    text = "\n".join(lines)
    assert not re.search(
        r"[*?\[\]^!]",
        text.replace("Defaults!", "").replace("!setenv", "").replace("!requiretty", ""),
    )
    assert "ALL=(root) NOPASSWD: VIGIA_ROOT" in text
    for word in ("env_reset", "secure_path", "!setenv"):
        assert word in text
    allowed = re.findall(r"(/\S+) (\w+)", text.split("Defaults")[0])
    assert sorted(allowed) == [(privileged.HELPER, verb) for verb in sorted(root_helper.VERBS)]


def test_sudo_understands_the_file():
    command = [needed("visudo"), "-c", "-s", "-f", SUDOERS]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


INSIDE = """
set -e
mount -t tmpfs none /usr/local/libexec 2>/dev/null || {{ mkdir -p {top}/l; mount --bind {top}/l /usr/local; mkdir -p /usr/local/libexec; }}
install -D -o root -g root -m 0755 {source} /usr/local/libexec/vigia/root_helper
mkdir -p {top}/upper {top}/work {top}/etc-all
mount -t tmpfs none {top}/etc-all
cp -a /etc/. {top}/etc-all/
mount --bind {top}/etc-all /etc
install -D -o root -g root -m 0644 {table} /etc/vigia/roots.toml
sed 's/^vigia /nobody /' {sudoers} > /etc/sudoers.d/vigia
chmod 0440 /etc/sudoers.d/vigia
cd /
exec setpriv --reuid=65534 --regid=65534 --clear-groups {python} -I -B -c "$CODE"
"""

ASK = """
import json, subprocess, sys
HELPER = "/usr/local/libexec/vigia/root_helper"
def ask(words, path="{video}", before=()):
    ran = subprocess.run(["/usr/bin/sudo", "-n", *before, HELPER, *words],
                         input=json.dumps(dict(path=path)), capture_output=True, text=True)
    return ran.stdout.strip() or "NO: " + ran.stderr.strip()
print(ask(["take_ownership"]))
print(ask(["make_directory"], "{modelos}/new"))
print(ask(["take_ownership"], "/etc/shadow"))
print(ask(["take_ownership", "/etc/shadow"]))
print(ask(["chown"]))
print(ask([]))
print(ask(["take_ownership"], before=["PYTHONPATH=/tmp"]))
print(ask(["take_ownership"], before=["-u", "daemon"]))
"""


@needs_root
@pytest.mark.needs("visudo")
def test_with_a_real_sudo_two_things_are_possible_and_nothing_else(story):
    """In a mount namespace of its own, so that nothing is installed on this machine."""
    os.chown(story.video, 0, 0)
    code = ASK.format(video=story.video, modelos=story.modelos)
    script = INSIDE.format(
        top=story.home.parent,
        source=SOURCE,
        table=story.table,
        sudoers=SUDOERS,
        python=python_for_all(),
    )
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "CODE": code},
    )
    if ran.returncode and "mount" in ran.stderr:
        pytest.skip("no mounts here: " + ran.stderr.strip()[:100])
    assert ran.returncode == 0, ran.stderr
    answers = ran.stdout.splitlines()
    assert [json.loads(answer)["kind"] for answer in answers[:3]] == ["done", "done", "refused"]
    assert all(answer.startswith("NO: ") for answer in answers[3:]), answers
    assert story.video.stat().st_uid == NOBODY
    assert (story.modelos / "new").stat().st_uid == NOBODY
    assert not Path(privileged.HELPER).exists()


# --- asking --------------------------------------------------------------------------------------


def a_helper(tmp_path, text):
    path = tmp_path / "helper.py"
    path.write_text(text)
    return [sys.executable, str(path)]


def test_the_answer_comes_back_as_a_value(tmp_path):
    told = "import sys, json; print(json.dumps(json.loads(sys.argv[1])))"
    for answer, expected in (
        ({"kind": "done", "what": "x", "changed": True}, Done("x")),
        ({"kind": "refused", "why": "no"}, Refused("no")),
    ):
        command = [sys.executable, "-c", told, json.dumps(answer)]
        assert privileged.ask_root("take_ownership", "/x", command) == expected
    command = [
        sys.executable,
        "-c",
        told,
        '{"kind": "failed", "why": "w", "errno": 30, "at": "/x"}',
    ]
    assert privileged.ask_root("take_ownership", "/x", command).errno == 30


def test_the_path_goes_in_on_stdin_and_the_verb_alone_is_an_argument(tmp_path):
    command = a_helper(
        tmp_path,
        "import sys, json, os\n"
        "seen = [sys.argv[1:], json.loads(sys.stdin.readline()), os.getcwd(), sorted(os.environ)]\n"
        "print(json.dumps(dict(kind='done', what=json.dumps(seen), changed=True)))",
    )
    answer = privileged.ask_root("make_directory", "/srv/a b\n--x", command)
    words, request, folder, environ = json.loads(answer.what)
    assert words == ["make_directory"]
    assert request == {"path": "/srv/a b\n--x"}
    assert folder == "/"
    assert set(environ) <= {"PATH", "LC_ALL", "LC_CTYPE"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "import sys; sys.exit('sudo: a password is required\\x1b[2J')",
            r"a password is required\\x1b",
        ),
        ("print('hello')", "no answer"),
        ("print('[1]')", "no answer"),
        ('print(\'{"kind": "done"}\')', "no answer"),
        ("print('x' * 100_000)", "no answer"),
        ("", "no answer"),
    ],
)
def test_a_helper_that_cannot_be_asked_is_told_as_such(tmp_path, text, why):
    answer = privileged.ask_root("take_ownership", "/x", a_helper(tmp_path, text))
    assert isinstance(answer, Failed)
    assert re.search("cannot be asked: .*" + re.escape(why).replace(r"\\\\", r"\\"), answer.why)
    assert "\x1b" not in answer.why


def test_no_sudo_at_all_is_a_failure_with_its_name():
    answer = privileged.ask_root("take_ownership", "/x", ["/no/such/sudo"])
    assert "/no/such/sudo: No such file" in answer.why


def test_a_helper_that_hangs_is_ended(tmp_path):
    command = a_helper(tmp_path, "import time; time.sleep(60)")
    answer = privileged.ask_root("take_ownership", "/x", command, patience=0.3)
    assert "no answer in 0 s" in answer.why


def test_what_we_may_ourselves_is_not_asked_of_root(story):
    place = story.find(story.video)
    story.video.chmod(0o600)
    assert privileged.take_ownership(place, CHILD, ["/no/such/sudo"]).changed
    assert privileged.make_directory(story.find("modelos/new"), CHILD, ["/no/such/sudo"]).changed
    assert isinstance(
        privileged.take_ownership(story.find("modelos/no"), CHILD, ["/no/such"]), Failed
    )


@needs_root
def test_what_we_may_not_is_asked_of_root(story):
    os.chown(story.video, 0, 0)
    fake = story.home / "fake.py"
    fake.write_text('print(\'{"kind": "done", "what": "by root", "changed": true}\')')
    code = (
        "import os; from pathlib import Path; from monitor.safe.paths import *; from monitor.safe import privileged\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        f"place = roots_of(Path({str(story.home)!r})).find('modelos/victor/x.mp4')\n"
        f"command = [{python_for_all()!r}, {str(fake)!r}]\n"
        "print(privileged.take_ownership(place, Owner(65534, 65534), command).what)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "by root\n"


def test_the_modes_of_our_files_are_as_they_are_to_be_installed():
    assert not os.stat(SOURCE).st_mode & (stat.S_ISUID | stat.S_IWOTH)


def test_a_root_of_the_system_is_refused():
    for path in ("/", "/etc", "/etc/x", "/usr", "/boot", "/root", "/var/log", "/home"):
        with pytest.raises(Refusal):
            root_helper.check_root(path)
    root_helper.check_root("/srv/vigia/modelos")
