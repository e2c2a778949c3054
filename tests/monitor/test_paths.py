"""A text from a log names a place inside the roots, or it is refused with the reason."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from monitor.safe import root_helper
from monitor.safe.paths import Failed, Place, Refused, Root, folders, free_space, roots_of
from tests.monitor.paths_story import NOBODY, a_home, looks, needs_root

CLIMB = [
    *("../etc/passwd", "../../etc/passwd", "modelos/../../etc/passwd", "modelos/..", "modelos/../.env"),
    *("modelos/victor/../../data/monitor/state.db", "./../etc/shadow", "modelos//../..//etc/passwd"),
    *("modelos/./../secret", "..", "../", "modelos/victor/..", "modelos/..../x", "modelos/.../x"),
    *("modelos/..;/etc/passwd/..", "modelos/ ../x", "modelos/.. /x", "modelos/..\\..\\etc\\passwd"),
    *("..%2f..%2fetc%2fpasswd", "modelos/%2e%2e/%2e%2e/etc/passwd", "modelos/%252e%252e/x"),
    *("modelos/..%c0%af..%c0%afetc", "modelos/..%00/x", "....//....//etc/passwd"),
]  # fmt: skip
OUTSIDE = [
    *("/etc/passwd", "/etc/shadow", "//etc/shadow", "/etc//shadow", "/", "//", "/root/.ssh/id_rsa"),
    *("/proc/self/root/etc/passwd", "/proc/1/root/etc/shadow", "/proc/self/cwd/x", "/proc/self/fd/3"),
    *("/proc/self/environ", "/dev/sda", "/dev/stdin", "/dev/fd/0", "/dev/tcp/10.0.0.1/80", "/sys/power/state"),
    *("/boot/vmlinuz", "/usr/bin/sudo", "/bin/sh", "/var/log/wtmp", "/tmp/x", "/run/systemd/private"),
    *(".env", "vigia.toml", ".git/config", "monitor/safe/paths.py", "", ".", "./", "./.", "etc/passwd"),
    *("file:///etc/passwd", "http://169.254.169.254/latest", "C:/Windows/system.ini", "//server/share/x"),
    *("modelosx/a", "modelos.bak/x", "model", "-rf", "--help", "-", "--no-preserve-root /", "-R"),
]  # fmt: skip
EXECUTED = [
    *("$(touch MARK)", "`touch MARK`", "; touch MARK", "| touch MARK", "&& touch MARK", "x\ntouch MARK"),
    *("${IFS}touch${IFS}MARK", "$HOME/x", "${HOME}/x", "$PATH", "~/.ssh/authorized_keys", "~root/x", "~"),
    *("modelos/$(touch MARK)", "modelos/`touch MARK`", "modelos/${HOME}", "modelos/$HOME/x", "modelos/~/x"),
    *("modelos/~root", "<(touch MARK)", ">MARK", "2>MARK", "!touch MARK", "*/../*", "{0.__class__}"),
    *("{x.__globals__[os].system}", "{{7*7}}", "<actionunban>", "%(touch)s", "__import__('os')", "'; DROP--"),
]  # fmt: skip
FORMATS = [
    *("%s", "%n%n%n", "modelos/%s", "modelos/%s%s%n", "modelos/%d.mp4", "modelos/%(name)s", "modelos/100%25"),
    *("modelos/a\\x2e", "modelos/a\\n", "modelos/\\u2025/x", "modelos\\victor", "modelos/a\\ b"),
]  # fmt: skip
CONTROL = [
    *("\0", "modelos/x\0.mp4", "modelos\0/../../etc", "/etc/passwd\0modelos/x", "modelos/x\n", "\nmodelos/x"),
    *("modelos/x\r", "modelos/x\ty", "modelos/\x1b]0;x\x07", "modelos/\x1b[2J", "modelos/\x7f", "modelos/\x85"),
    *("modelos/x\u2028y", "modelos/x\u2029", "modelos/\u202egpj.exe", "modelos/\u200b", "modelos/\ufeffx"),
    *("modelos/\u2066x\u2069", "modelos/\udcff", "modelos/\ud800", "modelos/\u00a0", "modelos/\ue000"),
    'modelos/x\n{"seq": 1, "state": "resolved"}',
]  # fmt: skip
UNICODE = [
    *("modelos/\u2025/\u2025/etc", "modelos/\uff0e\uff0e/x", "modelos/\u2024\u2024/x", "modelos/\u2026"),
    *("modelos/\u3002\u3002/x", "modelos/\uff61\uff61", "modelos/\ufe52\ufe52/x", "modelos/.\uff0e/x"),
    *("modelos/a\uff0fb", "modelos/..\uff0f..\uff0fetc", "\uff0e\uff0e/etc", "modelos/\u2024./x", "modelos/\u2105"),
]  # fmt: skip
LONG = ["modelos/" + "a" * 256, "modelos/" + "é" * 128, "modelos/" + "a/" * 3000, "a" * 100_000,
        "modelos/" + "/".join("ab" for _ in range(100)), "../" * 1000 + "etc/passwd"]  # fmt: skip
SPACES = ["modelos/x ", " modelos/x", "modelos/ x", "modelos/x /y", "modelos/ ", " "]
MONITORS_OWN = [
    *("data/monitor/state.db", "data/monitor", "data/monitor/", "data//monitor/x", "./data/monitor/a/b"),
    *("logs/errors.json", "logs/monitor.log", "data/monitor/quarantine/x"),
]  # fmt: skip
HOSTILE = CLIMB + OUTSIDE + EXECUTED + FORMATS + CONTROL + UNICODE + LONG + SPACES + MONITORS_OWN


@pytest.fixture
def story():
    with a_home() as story:
        yield story


@pytest.fixture(scope="module")
def calm():
    """One home for all who must not change it."""
    with a_home() as story:
        yield story


def test_there_are_more_than_a_hundred_hostile_texts():
    assert len(set(HOSTILE)) > 140


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_hostile_text_is_refused_with_a_reason(calm, text):
    before = looks(calm.home), looks(calm.secret)
    found = calm.roots.find(text)
    assert isinstance(found, Refused)
    assert found.why.isprintable()
    assert len(found.why) < 400
    assert (looks(calm.home), looks(calm.secret)) == before


def test_hostile_texts_name_nothing_below_the_home_either(story):
    for text in HOSTILE:
        found = story.roots.find(f"{story.home}/{text}")
        if isinstance(found, Place):  # a name as good as any other: "modelos//x", "./modelos/…"
            assert os.path.realpath(found.path).startswith(f"{story.home}/")


def test_the_reason_names_the_thing(story):
    reasons = {
        "modelos/../x": "leads upward",
        "/etc/passwd": "'/etc/passwd' is outside the roots",
        "modelos/x\n": "U+000A",
        "modelos/%s": "'%s'",
        "~/x": "home folder",
        "modelos/x ": "space",
        "data/monitor/state.db": "monitor's own",
        "modelos/" + "a" * 256: "256 bytes",
        "": "empty",
    }
    for text, reason in reasons.items():
        assert reason in story.roots.find(text).why


@pytest.mark.parametrize(
    "name",
    [
        *("x.mp4", "Vacaciones (1) & más; final?.mp4", "año ñandú 日本 🎬.mp4", "-rf", "100% real.mp4"),
        *("it's.mp4", 'a "b".mp4', "a|b", "a*b", "[x](tg:y)", "<b>x", "..x", "x..", ".hidden", "a~"),
    ],
)  # fmt: skip
def test_an_odd_name_is_a_name_like_any_other(story, name):
    (story.victor / name).write_bytes(b"")
    assert story.find(story.victor / name).path == str(story.victor / name)
    assert story.find(f"modelos/victor/{name}").path == str(story.victor / name)


def test_the_same_place_can_be_written_in_several_ways(story):
    for text in (
        "modelos/victor/x.mp4",
        "./modelos//victor/./x.mp4",
        f"{story.home}/modelos/victor/x.mp4",
    ):
        assert story.find(text).path == str(story.video)
    assert story.find("modelos/").path == str(story.modelos)


def test_what_is_not_there_yet_has_a_place_too(story):
    assert story.find("modelos/nuevo/a/b.mp4").parts == ("nuevo", "a", "b.mp4")


def test_a_link_is_refused_wherever_it_stands(story):
    (story.modelos / "file").symlink_to(story.secret / "x.mp4")
    (story.modelos / "folder").symlink_to(story.secret)
    (story.modelos / "inside").symlink_to(story.victor)
    (story.modelos / "nowhere").symlink_to("/no/such/thing")
    for name in (
        "file",
        "folder",
        "folder/x.mp4",
        "inside",
        "inside/x.mp4",
        "nowhere",
        "nowhere/x",
    ):
        assert "is a link" in story.roots.find(f"modelos/{name}").why


def test_a_root_that_becomes_a_link_is_refused(story):
    story.modelos.rename(story.home / "away")
    story.modelos.symlink_to(story.secret)
    assert "is a link" in story.roots.find("modelos/x.mp4").why


def test_a_root_may_be_a_link_of_ours_from_the_beginning(story):
    disk = story.home.parent / "disk"
    disk.mkdir()
    (disk / "y.mp4").write_bytes(b"")
    (story.home / "big").symlink_to(disk)
    roots = roots_of(story.home, ["big"])
    for text in ("big/y.mp4", f"{story.home}/big/y.mp4", f"{disk}/y.mp4"):
        assert roots.find(text).path == f"{disk}/y.mp4"


@needs_root
def test_a_root_is_no_link_of_a_stranger(story):
    (story.home / "big").symlink_to(story.secret)
    os.lchown(story.home / "big", NOBODY, NOBODY)
    with pytest.raises(ValueError, match=f"a link of uid {NOBODY}"):
        roots_of(story.home, ["big"])


@pytest.mark.parametrize(
    "path", ["/", "/etc", "/usr/local/x", "/var", "/var/lib", "/home", "/proc/self", "/root"]
)
def test_a_folder_of_the_system_is_no_root(story, path):
    with pytest.raises(ValueError, match="the system's"):
        roots_of(story.home, [path])


def test_a_folder_that_everybody_may_write_is_refused(story):
    story.victor.chmod(0o777)
    assert "everybody may write" in story.roots.find("modelos/victor/x.mp4").why
    story.victor.chmod(0o1777)
    assert isinstance(story.roots.find("modelos/victor/x.mp4"), Place)


def test_a_root_that_everybody_may_write_is_refused(story):
    story.modelos.chmod(0o777)
    assert "everybody may write" in story.roots.find("modelos/victor/x.mp4").why


@needs_root
def test_a_folder_of_a_stranger_is_refused(story):
    os.chown(story.victor, 12345, 0)
    assert "belongs to uid 12345" in story.roots.find("modelos/victor/x.mp4").why
    os.chown(story.home, 12345, 0)
    os.chown(story.victor, 0, 0)
    assert "belongs to uid 12345" in story.roots.find("modelos/victor/x.mp4").why


def test_the_monitors_own_is_known_by_what_it_is_not_by_its_name(story):
    (story.home / "data" / "monitor").rename(story.home / "data" / "other")
    root = Root(f"{story.home}/data", kept=(f"{story.home}/data/other",))
    place = Place(root, ("alias", "state.db"))
    (story.home / "data" / "other").rename(story.home / "data" / "alias")
    with root_helper.walked(place) as at:  # nothing is kept under that name any more
        assert at.found.st_size == 5
    (story.home / "data" / "twin").mkdir()
    os.rename(story.home / "data" / "alias" / "state.db", story.home / "data" / "twin" / "a")
    os.link(story.home / "data" / "twin" / "a", story.home / "data" / "b")
    kept = Root(f"{story.home}/data", kept=(f"{story.home}/data/b",))
    with (
        pytest.raises(root_helper.Refusal, match="monitor's own"),
        root_helper.walked(Place(kept, ("twin", "a"))),
    ):
        pass


@pytest.mark.parametrize("kernel", [True, False], ids=["openat2", "openat"])
def test_another_file_system_inside_a_root_is_refused(story, monkeypatch, kernel):
    monkeypatch.setattr(root_helper, "has_openat2", lambda: kernel)
    if not os.path.ismount("/dev/shm"):
        pytest.skip("/dev/shm is not mounted")
    place = Place(Root("/dev"), ("shm",))  # as it is on every Linux, without mounting for it
    with pytest.raises(root_helper.Refusal, match="another file system"), root_helper.walked(place):
        pass


@pytest.mark.parametrize("kernel", [True, False], ids=["openat2", "openat"])
def test_links_are_refused_with_and_without_openat2(story, monkeypatch, kernel):
    if kernel and not root_helper.has_openat2():
        pytest.skip("this kernel has no openat2")
    monkeypatch.setattr(root_helper, "has_openat2", lambda: kernel)
    (story.modelos / "folder").symlink_to(story.secret)
    (story.modelos / "file").symlink_to(story.secret / "x.mp4")
    for name in ("folder", "folder/x.mp4", "file"):
        assert "is a link" in story.roots.find(f"modelos/{name}").why
    assert isinstance(story.roots.find("modelos/victor/x.mp4"), Place)


@pytest.mark.parametrize("part", ["", ".", "..", "a/b", "a\0b", "/"])
def test_a_place_cannot_even_be_made_of_what_is_no_name(part):
    with pytest.raises(ValueError, match="is not a name"):
        Place(Root("/srv/x"), (part,))


ALPHABET = st.sampled_from(
    [*"./~%$\\ \n\0-;ab\u2025\uff0e\u202e", "..", "modelos", "victor", "link", "up", "data"]
)


@settings(
    max_examples=600,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.one_of(st.lists(ALPHABET, max_size=14).map("".join), st.text(max_size=60)), st.booleans())
@example("modelos/up/../x", False)
@example("link/x", True)
def test_no_text_ever_leads_out_of_the_roots(linked, text, absolute):
    found = linked.roots.find(f"{linked.home}/{text}" if absolute else text)
    if isinstance(found, Place):
        real = os.path.realpath(found.path)
        assert any(
            f"{real}/".startswith(f"{linked.home}/{name}/") for name in ("modelos", "data", "logs")
        )
        plain = unicodedata.normalize("NFKC", found.path).split("/")
        assert not {".", ".."} & set(plain)


@pytest.fixture(scope="module")
def linked():
    with a_home() as story:
        for name, target in (("link", story.secret), ("up", ".."), ("a", "/"), ("b", "b")):
            (story.modelos / name).symlink_to(target)
            (story.modelos / "victor" / name).symlink_to(target)
        yield story


def test_the_folders_of_a_folder_without_its_links(story):
    (story.modelos / "link").symlink_to(story.secret)
    (story.modelos / "ana").mkdir()
    assert [place.path for place in folders(story.find("modelos"))] == [
        f"{story.modelos}/ana",
        f"{story.modelos}/victor",
    ]
    assert folders(story.find("modelos/victor/x.mp4")) == ()


def test_space_has_bytes_and_inodes(story):
    found = free_space(story.home)
    assert 0 < found.bytes <= found.total
    assert found.inodes is None or found.inodes > 0
    assert isinstance(free_space("/no/such/folder"), Failed)


@needs_root
def test_a_folder_closed_to_us_is_left_to_who_can_open_it(story):
    story.victor.chmod(0o000)
    os.chown(story.victor, 0, 0)
    code = (
        "import os; from pathlib import Path; from monitor.safe.paths import roots_of, can_write\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        f"place = roots_of(Path({str(story.home)!r})).find('modelos/victor/x.mp4')\n"
        "print(place.path, can_write(place, 65534, 65534).at)"
    )
    assert run_python(code) == f"{story.video} {story.victor}"


def run_python(code):
    """In a process of its own: users are changed for good."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
