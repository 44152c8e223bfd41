"""Apache's grammar, as our reader understands it; where Apache is there, both must agree."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jprs_client.errors import InstallFailed
from jprs_plugins import apache_config
from jprs_plugins.apache_config import Configuration, read
from jprs_plugins.directives import Directive
from tests import needs
from tests.apache_server import MODULES


def reading(folder: Path, text: str | bytes, environment: dict[str, str] | None = None, **others: str) -> Configuration:
    """What `text` as apache2.conf says, with `others` beside it as NAME.conf."""
    for name, content in {"apache2": text, **others}.items():
        raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
        (folder / f"{name}.conf").write_bytes(raw)
    return read(folder / "apache2.conf", folder, environment or {})


Plain = tuple[str, tuple[str, ...], object]


def plain(directive: Directive) -> list[Plain]:
    return [(inner.name, inner.words, None if inner.block is None else plain(inner)) for inner in directive.block or ()]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", []),
        ("# only a comment", []),
        ("# a comment \\\nthat goes on\na", [("a", (), None)]),
        ("A b c", [("a", ("b", "c"), None)]),
        ("  a\tb\r\n\r\n", [("a", ("b",), None)]),
        ("a b # c", [("a", ("b", "#", "c"), None)]),
        ("a 'b c' \"d\"", [("a", ("b c", "d"), None)]),
        ("a 'b'\"c\"", [("a", ("b", "c"), None)]),
        ('a b"c d"', [("a", ('b"c', 'd"'), None)]),
        ('a "b \\"c\\" \\\\ \\d"', [("a", ('b "c" \\ \\d',), None)]),
        ('a "b', [("a", ("b",), None)]),
        ("a \\\\b \\c", [("a", ("\\b", "\\c"), None)]),
        ("a b\\\nc", [("a", ("bc",), None)]),
        ("a \\\r\n  b", [("a", ("b",), None)]),
        ("a \\", [("a", ("\\",), None)]),
        ("<A b>\nc\n</a>\nd", [("a", ("b",), [("c", (), None)]), ("d", (), None)]),
        ("<A>\n</A>", [("a", (), [])]),
        ("<A >\n</A>", [("a", (), [])]),
        ('<A "b c">\n</A>', [("a", ("b c",), [])]),
        ("<A>\n<B x>\n</B>\n</A>", [("a", (), [("b", ("x",), [])])]),
        ("a ${b}", [("a", ("${b}",), None)]),
        ("Define b c\na ${b}x${b}", [("a", ("cxc",), None)]),
        ("Define b 'c d'\na ${b}", [("a", ("c d",), None)]),
        ("Define b\na ${b}", [("a", ("${b}",), None)]),
        ("Define b c\nUnDefine b\na ${b}", [("a", ("${b}",), None)]),
        ("a ${env} ${x", [("a", ("value", "${x"), None)]),
        ("Define env own\na ${env}", [("a", ("own",), None)]),
        ("Define b c\n<IfDefine b>\na\n</IfDefine>\n<IfDefine !b>\nx\n</IfDefine>", [("a", (), None)]),
        ("<IfDefine b>\n<X>\n</X>\n<IfDefine c>\n</IfDefine>\n</IfDefine>\na", [("a", (), None)]),
        ("<IfModule core.c>\na\n</IfModule>", [("a", (), None)]),
        ("LoadModule x_module m/mod_x.so\n<IfModule mod_x.c>\na\n</IfModule>", [("a", (), None)]),
        ("LoadModule x_module m/mod_x.so\n<IfModule x_module>\na\n</IfModule>", [("a", (), None)]),
        ("LoadModule php_module m/libphp.so\n<IfModule mod_php.c>\na\n</IfModule>", [("a", (), None)]),
        ("<IfModule x_module>\na\n</IfModule>\nLoadModule x_module m/mod_x.so", []),
        ("<IfModule !x_module>\na\n</IfModule>\nLoadModule x_module m/mod_x.so", [("a", (), None)]),
        ("<IfModule x_module>\na\n</IfModule>", [("a", (), None)]),
        ("<IfFile apache2.conf>\na\n</IfFile>\n<IfFile !nothing>\nb\n</IfFile>", [("a", (), None), ("b", (), None)]),
        ("<IfFile /nothing>\na\n</IfFile>", []),
        ("<IfVersion >= 2.4>\na\n</IfVersion>", [("a", (), None)]),
        ("<IfVersion 2.2>\na\n</IfVersion>\n<IfVersion !< 2.4.7>\nb\n</IfVersion>", [("b", (), None)]),
        ("<IfDirective SSLEngine>\na\n</IfDirective>\n<IfSection !Proxy>\nb\n</IfSection>", [("a", (), None)]),
        ("<Macro m $a $ab>\nx $a $ab\n</Macro>\nUse M 1 '2 3'", [("x", ("1", "2", "3"), None)]),
        ("<Macro m>\nUse n\n</Macro>\n<Macro n>\nx\n</Macro>\nUse m\nUse n", [("x", (), None), ("x", (), None)]),
        ("<Perl>\n<X>\n}\n</Perl>\na", [("a", (), None)]),
        ("<If \"%{HTTP_HOST} == 'x'\">\na\n</If>", [("if", ("%{HTTP_HOST} == 'x'",), [("a", (), None)])]),
        ("a 日本", [("a", ("日本",), None)]),
        (b"a \xff\xfe", [("a", ("\udcff\udcfe",), None)]),
    ],
)
def test_a_configuration_is_read_as_apache_reads_it(tmp_path: Path, text: str | bytes, tree: list[Plain]) -> None:
    assert plain(reading(tmp_path, text, {"env": "value"}).root) == tree


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<A>", 1),
        ("a\n<A>\nb\n", 2),
        ("</A>", 1),
        ("a\n</A>", 2),
        ("<A>\n</B>", 2),
        ("<A>\n</A", 2),
        ("<A\nb", 1),
        ("<>", 1),
        ("<IfDefine x>\n", 1),
        ("<IfDefine x>\n<A>\n</IfDefine>", 3),
        ("a\n<Macro m>\n", 2),
        ("<Macro>\n</Macro>", 1),
        ("a\nUse m", 2),
        ("<Macro m $a>\n</Macro>\nUse m", 3),
        ("<Macro m>\nUse m\n</Macro>\nUse m", 2),
        ("a\nInclude apache2.conf", 2),
        ("<Perl>\n", 1),
    ],
)
def test_what_apache_would_not_read_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(InstallFailed) as failure:
        reading(tmp_path, text)
    assert failure.value.code == "apache-config-broken"
    assert failure.value.params["place"] == f"{tmp_path}/apache2.conf:{line}"


def test_included_files_stand_where_they_are_included(tmp_path: Path) -> None:
    (tmp_path / "sites/more").mkdir(parents=True)
    (tmp_path / "sites/b.conf").write_text("Include sites/more")
    (tmp_path / "sites/a.conf").write_text("\nfirst")
    (tmp_path / "sites/more/z").write_text("second")
    (tmp_path / "sites/.hidden.conf").write_text("hidden")
    found = reading(
        tmp_path, "<A>\n  Include sites/*.conf\n  IncludeOptional no/*.conf\n  IncludeOptional no.conf\n  third\n</A>"
    )
    block = found.root.all("a")[0].block or ()
    assert [(inner.name, inner.place) for inner in block] == [
        ("first", f"{tmp_path}/sites/a.conf:2"),
        ("second", f"{tmp_path}/sites/more/z:1"),
        ("third", f"{tmp_path}/apache2.conf:5"),
    ]


def test_server_root_counts_from_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/one.conf").write_text("found")
    found = reading(tmp_path, f"Include one.conf\nServerRoot {tmp_path}/root\nInclude one.conf", one="before")
    assert [inner.name for inner in found.root.block or ()] == ["before", "serverroot", "found"]
    assert found.server_root == tmp_path / "root"


def test_a_file_that_is_included_and_missing_is_named_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(InstallFailed) as failure:
        reading(tmp_path, "\nInclude missing.conf")
    assert failure.value.code == "apache-config-unreadable"
    assert failure.value.params["file"] == f"{tmp_path}/missing.conf"
    assert failure.value.params["included_at"] == f"{tmp_path}/apache2.conf:2"


def test_a_pipe_instead_of_a_file_does_not_hold_us_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.conf")
    with pytest.raises(InstallFailed) as failure:
        reading(tmp_path, "Include pipe.conf")
    assert failure.value.code == "apache-config-unreadable"


@pytest.mark.parametrize(
    ("text", "others"),
    [
        (
            "Include l0.conf",
            {f"l{level}": f"Include l{level + 1}.conf\nInclude l{level + 1}.conf" for level in range(20)}
            | {"l20": "a"},
        ),
        (
            "\n".join(f"<Macro m{n}>\nUse m{n + 1}\nUse m{n + 1}\n</Macro>" for n in range(30))
            + "\n<Macro m30>\n</Macro>\nUse m0",
            {},
        ),
        ("Define a xxxxxxxxxxxxxxxx\n" + "Define a ${a}${a}\n" * 40, {}),
        ("a\n" * 1001, {}),
    ],
)
def test_what_multiplies_itself_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, others: dict[str, str]
) -> None:
    monkeypatch.setattr(apache_config, "MAX_DIRECTIVES", 1000)
    with pytest.raises(InstallFailed) as failure:
        reading(tmp_path, text, {}, **others)
    assert failure.value.code == "apache-config-too-large"


def test_what_is_too_large_or_too_deep_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InstallFailed):
        reading(tmp_path, "<a>\n" * 10_000)
    monkeypatch.setattr(apache_config, "MAX_BYTES", 100)
    with pytest.raises(InstallFailed) as failure:
        reading(tmp_path, "a\n" * 51)
    assert failure.value.code == "apache-config-too-large"


# -- beside Apache itself ----------------------------------------------------------------------------------------------

#: `-D DUMP_VHOSTS`: name and `(FILE:LINE)` of each host, or where the macro that made it stands.
_DUMPED = re.compile(r"(?P<name>\S+) \((?:(?P<place>/[^)\s]*:\d+)|macro .*)\)$")


def dumped(folder: Path) -> set[tuple[str, str]] | None:
    """Name and place of every virtual host, as Apache tells; "" where a macro made it; None where it refuses."""
    config = folder / "apache2.conf"
    done = subprocess.run(
        (needs.program("apache2"), "-d", str(folder), "-f", str(config), "-t", "-D", "DUMP_VHOSTS"),
        capture_output=True, text=True, timeout=30, env={"LC_ALL": "C"},
    )  # fmt: skip
    if done.returncode != 0:
        return None
    return {
        (match["name"], match["place"] or "") for line in done.stdout.splitlines() if (match := _DUMPED.search(line))
    }


def ours(configuration: Configuration) -> set[tuple[str, str]]:
    found = set()
    for host in configuration.root.all("virtualhost"):
        names = host.all("servername") or configuration.root.all("servername")
        found.add((names[-1].words[0], host.place))
    return found


PREAMBLE = (
    "ServerName main.invalid\nErrorLog error.log\nListen 8443\n"
    f"LoadModule mpm_event_module {MODULES}/mod_mpm_event.so\n"
    + "".join(
        f"LoadModule {name}_module {MODULES}/mod_{name}.so\n"
        for name in ("authz_core", "ssl", "socache_shmcb", "alias")
    )
)

_number = st.integers(0, 4)
_LEAVES = st.one_of(
    st.builds("ServerName h{}.jp".format, _number),
    st.builds('servername "q{}.jp"'.format, _number),
    st.builds("ServerName ${{v{}}}.jp".format, _number),
    st.builds("Define v{} d{}".format, _number, _number),
    st.builds("UnDefine v{}".format, _number),
    st.builds("# comment {} \\\n  ServerName hidden.jp".format, _number),
    st.builds("SSLEngine \\\n off".format),
    st.builds("IncludeOptional part{}.conf".format, _number),
    st.builds("Alias /a{} \"/x \\\" y\"".format, _number),
    st.just(""),
)  # fmt: skip
_CONDITIONS = st.one_of(
    st.builds("IfDefine v{}".format, _number),
    st.builds("IfDefine !v{}".format, _number),
    st.sampled_from(
        ["IfModule mod_ssl.c", "IfModule !ssl_module", "IfModule mod_nss.c", "IfModule !mod_nss.c", "IfModule core.c"]
    ),
    st.sampled_from(
        ["IfFile part1.conf", "IfFile !part1.conf", "IfFile nothing", "IfVersion >= 2.4", "IfVersion < 2.4"]
    ),
    st.sampled_from(["IfDirective SSLEngine", "IfSection VirtualHost"]),
)


def _section(heading: str, lines: list[str]) -> str:
    return "\n".join((f"<{heading}>", *lines, f"</{heading.split(maxsplit=1)[0]}>"))


_INNER = st.recursive(
    _LEAVES, lambda inner: st.builds(_section, _CONDITIONS, st.lists(inner, max_size=3)), max_leaves=6
)
_HOSTS = st.builds(
    _section,
    st.sampled_from(["VirtualHost *:8443", "virtualhost \\\n  *:8444 *:8443", "VirtualHost *"]),
    st.lists(_INNER, max_size=4),
)
_OUTER = st.recursive(
    st.one_of(_HOSTS, _LEAVES),
    lambda inner: st.builds(_section, _CONDITIONS, st.lists(inner, max_size=3)),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(outer=st.lists(_OUTER, max_size=6), part=st.lists(_HOSTS, max_size=2))
def test_we_find_the_hosts_that_apache_finds(tmp_path: Path, outer: list[str], part: list[str]) -> None:
    (tmp_path / "part1.conf").write_text("\n".join(part))
    (tmp_path / "apache2.conf").write_text(PREAMBLE + "\n".join(outer) + "\n")
    theirs = dumped(tmp_path)
    if theirs is not None:
        assert ours(read(tmp_path / "apache2.conf", tmp_path, {})) == theirs


def test_we_find_the_hosts_of_a_configuration_with_everything_in_it(tmp_path: Path) -> None:
    """So that the property above cannot hold by Apache refusing all it is given."""
    needs.program("apache2")
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites/b.conf").write_bytes(b"# \xff\r\n<VirtualHost *:8443>\r\n ServerName b.jp\r\n</VirtualHost>\r\n")
    (tmp_path / "sites/a.conf").write_text(
        "Define tld jp\n<IfDefine tld>\n<VirtualHost \\\n _default_:8443>\n"
        'ServerName "a.${tld}"\n</VirtualHost>\n</IfDefine>'
    )
    (tmp_path / "apache2.conf").write_text(
        f"{PREAMBLE}IncludeOptional sites/*.conf\nLoadModule macro_module {MODULES}/mod_macro.so\n"
        "<Macro Site $n>\n<VirtualHost *:8443>\nServerName $n.jp\n</VirtualHost>\n</Macro>\nUse site m\n"
        "<IfModule mod_nss.c>\n<VirtualHost *:8443>\nServerName x.jp\n</VirtualHost>\n</IfModule>\n"
    )
    macro = len((tmp_path / "apache2.conf").read_text().split("<Macro")[0].splitlines()) + 2

    assert dumped(tmp_path) == {
        ("a.jp", f"{tmp_path}/sites/a.conf:4"),
        ("b.jp", f"{tmp_path}/sites/b.conf:2"),
        ("m.jp", ""),
    }
    assert ours(read(tmp_path / "apache2.conf", tmp_path, {})) == {
        ("a.jp", f"{tmp_path}/sites/a.conf:4"),
        ("b.jp", f"{tmp_path}/sites/b.conf:2"),
        ("m.jp", f"{tmp_path}/apache2.conf:{macro}"),
    }


PIECES = st.sampled_from(
    [
        *" \t\r\n'\"\\$<>/#!{}*?[]^~\0\udcff日",
        *("a", "Include ", "IncludeOptional ", "apache2.conf", "*.conf", "${", "${v}", "Define ", "v ", "Use ", "m "),
        *("<VirtualHost *:443>\n", "</VirtualHost>\n", "<IfModule ", "</IfModule>\n", "<Macro m $a>\n", "</Macro>\n"),
        *("<IfVersion ", "<IfFile ", "ServerRoot ", "LoadModule x ", "<Perl>\n", "</Perl>\n", "\\\n", ">\n"),
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=500)
@given(pieces=st.lists(PIECES, max_size=40))
def test_whatever_stands_there_only_our_own_error_is_raised(tmp_path: Path, pieces: list[str]) -> None:
    try:
        found = reading(tmp_path, "".join(pieces))
    except InstallFailed as failure:
        assert failure.code.startswith("apache-config-")
    else:
        assert found.root.block is not None
