"""nginx's grammar, as our reader understands it; where nginx is there, both must agree."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jprs_client.errors import InstallFailed
from jprs_plugins import nginx_config
from jprs_plugins.nginx_config import Directive, read
from tests import needs


def reading(folder: Path, text: str | bytes, **others: str | bytes) -> Directive:
    """The tree of `text` as nginx.conf, with `others` beside it as NAME.conf."""
    for name, content in {"nginx": text, **others}.items():
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / f"{name}.conf").write_bytes(raw)
    return read(folder / "nginx.conf")


Plain = tuple[str, tuple[str, ...], object]


def plain(directive: Directive) -> list[Plain]:
    return [(inner.name, inner.words, None if inner.block is None else plain(inner)) for inner in directive.block or ()]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", []),
        ("# only a comment", []),
        ("a;", [("a", (), None)]),
        ("a b c;", [("a", ("b", "c"), None)]),
        ("a{}", [("a", (), [])]),
        ("a b{c;}d;", [("a", ("b",), [("c", (), None)]), ("d", (), None)]),
        ("a 'b c';", [("a", ("b c",), None)]),
        ('a "b;{}#";', [("a", ("b;{}#",), None)]),
        ("a b'c;", [("a", ("b'c",), None)]),
        ("a b#c;", [("a", ("b#c",), None)]),
        ("a b}c;", [("a", ("b}c",), None)]),
        ("a #c;\n b;", [("a", ("b",), None)]),
        (r'a "x\"y";', [("a", ('x"y',), None)]),
        (r"a 'x\'y';", [("a", ("x'y",), None)]),
        (r"a \.php$;", [("a", (r"\.php$",), None)]),
        (r"a x\ y;", [("a", (r"x\ y",), None)]),
        (r"a \\;", [("a", ("\\",), None)]),
        (r"a x\ty;", [("a", ("x\ty",), None)]),
        ("a ${b}c;", [("a", ("${b}c",), None)]),
        ("a $b;", [("a", ("$b",), None)]),
        ("a $b{c;}", [("a", ("$b",), [("c", (), None)])]),
        ("a\r\n  b\r\n;\r\n", [("a", ("b",), None)]),
        ("a\tb\n\n\nc;", [("a", ("b", "c"), None)]),
        ("if ($a = 'b') { c; }", [("if", ("($a", "=", "b", ")"), [("c", (), None)])]),
        ('a "";', [("a", ("",), None)]),
        ("location ~ ^/(a|b)$ { }", [("location", ("~", "^/(a|b)$"), [])]),
        ("a 日本;", [("a", ("日本",), None)]),
        (b"a \xff\xfe;", [("a", ("\udcff\udcfe",), None)]),
        ("x_by_lua_block { local a = '}' }\nb;", [("x_by_lua_block", (), []), ("b", (), None)]),
        ("set_by_lua_block $r { -- }\n return [[ } ]] .. {1}[1] }", [("set_by_lua_block", ("$r",), [])]),
        ("x_by_lua_block { --[==[ } ]] ]==] if a then b = {} end }", [("x_by_lua_block", (), [])]),
    ],
)
def test_a_configuration_is_read_as_nginx_reads_it(tmp_path: Path, text: str | bytes, tree: list[Plain]) -> None:
    assert plain(reading(tmp_path, text)) == tree


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a", 1),
        ("a;\n\nb", 3),
        ("a {", 1),
        ("b;\na {\n b;\n", 4),
        ("}", 1),
        ("a;\n}", 2),
        ("a { b }", 1),
        (";", 1),
        ("a;;", 1),
        ("{}", 1),
        ("a 'b", 1),
        ('\n\na "b;', 3),
        ("a 'b'c;", 1),
        ("a 'b'\"c\";", 1),
        ("a 'b'#c\n;", 1),
        ("a \\", 1),
        ("x_by_lua_block { '", 1),
        ("x_by_lua_block { {", 1),
        ("include nginx.conf;", 1),
    ],
)
def test_what_nginx_would_not_read_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(InstallFailed) as failure:
        reading(tmp_path, text)
    assert failure.value.code == "nginx-config-broken"
    assert failure.value.params["place"] == f"{tmp_path}/nginx.conf:{line}"


NGINX_READS = [
    "events { }",
    "events { } # } ",
    "events{}http{server{server_name 'a' \"b\" c\\ d;}}",
    'events {} http { map $uri $x { default \'a;b\'; ~^/\\{ "c\\"d"; } }',
    "events {} http { server { if ($uri = 'b') { return 200 \"${uri}x\"; } } }",
    "events {} http { log_format x '$uri' \"b\"; }",
    "events {}\r\nhttp {\r\n}\r\n",
    "events {} http { server { return 200 a#b; } }",
    "events {} http { server { return 200 a'b; } }",
    "events { }}",
    "events { } ;",
    "events { } http { server { return 200 'a'b; } }",
    "events { } http { server { return 200 'a'#b\n; } }",
    "events { } http { server { return 200 'a; } }",
    "events { } http {",
    "events { } http",
    "events { } http { server { return 200 $a{b; } }",
    "events { } http { server { set $a 1; return 200 ${a}{b; } }",
    "events { } http { server { set $a 1; return 200 ${a }; } }",
    "events { } include nothing-here*.conf;",
    "events { } include nothing-here.conf;",
    "events { } http { server { return 200 a}b; } }",
    "events { } {}",
    "events { }\nhttp {\n server {\n listen 80;\n\n",
    "events { }\nhttp {\n server {\n listen '80;\n\n }\n }\n",
    "events { }\nhttp {\n server {\n listen 80\n",
    "events { }\n\n}\n# more",
    "events { }\n\n;\n# more",
    "events { }\nhttp {\n\nserver { return 200 'a'\n'b'c; }\n}",
    "events { }\n\ninclude nothing-here.conf;\n",
]


@pytest.mark.parametrize("text", NGINX_READS)
def test_we_read_what_nginx_reads(tmp_path: Path, text: str) -> None:
    """What nginx takes, we take; what is no grammar to it is none to us, at the same line."""
    nginx = needs.program("nginx")
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid; error_log stderr;\n{text}\n")
    done = subprocess.run(
        (nginx, "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")), capture_output=True, text=True
    )
    try:
        read(tmp_path / "nginx.conf")
        ours = None
    except InstallFailed as failure:
        ours = str(failure.params.get("place") or failure.params.get("included_at"))
    if done.returncode == 0:
        assert ours is None, done.stderr
    elif any(said in done.stderr for said in ("unexpected", "open() ")):
        assert ours is not None, done.stderr
        assert f" in {ours}\n" in done.stderr


def test_included_files_stand_where_they_are_included(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites/b.conf").write_text("second;")
    (tmp_path / "sites/a.conf").write_text("\nfirst;")
    (tmp_path / "sites/.hidden.conf").write_text("hidden;")
    tree = reading(tmp_path, "http {\n  include sites/*.conf;\n  include nothing/*.conf;\n  third;\n}")
    http = tree.all("http")[0]
    assert [(inner.name, inner.place) for inner in http.block or ()] == [
        ("first", f"{tmp_path}/sites/a.conf:2"),
        ("second", f"{tmp_path}/sites/b.conf:1"),
        ("third", f"{tmp_path}/nginx.conf:4"),
    ]


def test_relative_includes_count_from_the_main_file(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/one.conf").write_text("include two.conf;")
    assert plain(reading(tmp_path, "include deep/one.conf;", two="found;")) == [("found", (), None)]


def test_a_file_that_is_included_and_missing_is_named_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(InstallFailed) as failure:
        reading(tmp_path, "\ninclude missing.conf;")
    assert failure.value.code == "nginx-config-unreadable"
    assert failure.value.params["file"] == f"{tmp_path}/missing.conf"
    assert failure.value.params["included_at"] == f"{tmp_path}/nginx.conf:2"


def test_files_that_include_one_another_are_named(tmp_path: Path) -> None:
    with pytest.raises(InstallFailed) as failure:
        reading(tmp_path, "include a.conf;", a="include b.conf;", b="\n\ninclude a.conf;")
    assert failure.value.code == "nginx-config-broken"
    assert failure.value.params["place"] == f"{tmp_path}/b.conf:3"


def test_what_multiplies_itself_by_includes_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx_config, "MAX_DIRECTIVES", 1000)
    doubling = {f"l{level}": f"include l{level + 1}.conf; include l{level + 1}.conf;" for level in range(20)}
    with pytest.raises(InstallFailed) as failure:
        reading(tmp_path, "include l0.conf;", **doubling, l20="a;")
    assert failure.value.code == "nginx-config-too-large"


def test_what_is_too_large_or_too_deep_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InstallFailed):
        reading(tmp_path, "a {" * 10_000)
    monkeypatch.setattr(nginx_config, "MAX_BYTES", 100)
    with pytest.raises(InstallFailed) as failure:
        reading(tmp_path, "a;" * 51)
    assert failure.value.code == "nginx-config-too-large"


def test_a_pipe_instead_of_a_file_does_not_hold_us_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.conf")
    with pytest.raises(InstallFailed) as failure:
        reading(tmp_path, "include pipe.conf;")
    assert failure.value.code == "nginx-config-unreadable"


PIECES = st.sampled_from(
    [
        *" \t\r\n;{}#'\"\\$()*?[]~^.\0\udcff日",
        *("a", "server", "listen 443 ssl;", "include ", "nginx.conf", "*.conf", "ssl_certificate", "${"),
        *("x_by_lua_block", "--[[", "]]"),
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(pieces=st.lists(PIECES, max_size=40))
def test_whatever_stands_there_only_our_own_error_is_raised(tmp_path: Path, pieces: list[str]) -> None:
    text = "".join(pieces).encode("utf-8", "surrogateescape")
    try:
        tree = reading(tmp_path, text)
    except InstallFailed as failure:
        assert failure.code.startswith("nginx-config-")
    else:
        assert tree.block is not None
