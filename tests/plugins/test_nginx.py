"""What the nginx installer proposes: which blocks, which files, where to look, and what it refuses."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jprs_client.errors import InstallFailed
from jprs_client.keys import KeyType
from jprs_client.plugin import Deployment, Material, Site
from jprs_plugins.nginx import Nginx
from jprs_plugins.tls_sites import covers
from tests.install.world import NOW, World, issued

NAMES = ("example.jp", "www.example.jp")
MATERIAL = Material(b"cert\n", b"chain\n", b"key\n")


class Web:
    """A configuration under `folder`, and a state with the lineage "main" beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "nginx"
        self.folder.mkdir()
        self.world = World(folder)
        self.live = self.world.live("main")
        self.config = self.folder / "nginx.conf"

    def proposal(
        self, http: str, *names: str, material: Material = MATERIAL, outside: str = "", **more: object
    ) -> Deployment:
        self.config.write_text(f"events {{}}\n{outside}http {{\n{http}\n}}\n")
        site = Site("main", frozenset(names or NAMES), self.live)
        return Nginx({"config": self.config, **more}).deployment(site, material)

    def refusal(self, http: str, *names: str, material: Material = MATERIAL) -> InstallFailed:
        with pytest.raises(InstallFailed) as failure:
            self.proposal(http, *names, material=material)
        assert failure.value.exit_code == 7
        return failure.value

    def put(self, name: str, material: Material) -> None:
        (self.folder / f"{name}.pem").write_bytes(material.fullchain_pem)
        (self.folder / f"{name}.key").write_bytes(material.private_key_pem)


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return Web(tmp_path)


def block(names: str, *, listen: str = "443 ssl", files: str = "a", more: str = "") -> str:
    listens = " ".join(f"listen {one};" for one in listen.split(","))
    return (
        f"server {{ {listens} server_name {names}; "
        f"ssl_certificate {files}.pem; ssl_certificate_key {files}.key; {more} }}\n"
    )


def written(deployment: Deployment) -> dict[str, bytes]:
    return {change.path.name: change.content for change in deployment.files}


def looked_at(deployment: Deployment) -> set[tuple[str, int, str]]:
    return {(probe.host, probe.port, probe.server_name) for probe in deployment.probes}


# -- which blocks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server_name", "names"),
    [
        ("example.jp", "example.jp"),
        ("EXAMPLE.jp", "example.jp"),
        ("example.jp www.example.jp", "example.jp www.example.jp"),
        ("a.example.jp", "*.example.jp example.jp"),
        ("*.example.jp", "*.example.jp example.jp"),
        (".example.jp", "*.example.jp example.jp"),
        (".example.jp", "example.jp www.example.jp"),
        ("www.example.*", "www.example.jp"),
        ("~^www\\.example\\.(?<tld>jp)$", "www.example.jp"),
        ("~^[a-z-]+\\.example\\.jp$", "*.example.jp example.jp"),
        ("example.jp _", "example.jp"),
        ('example.jp ""', "example.jp"),
        ("example.jp localhost 192.0.2.1", "example.jp"),
        ('"example.jp"', "example.jp"),
        ("xn--r8jz45g.jp", "xn--r8jz45g.jp"),
    ],
)
def test_a_block_is_for_a_certificate_that_covers_its_names(web: Web, server_name: str, names: str) -> None:
    assert set(written(web.proposal(block(server_name), *names.split()))) == {"a.pem", "a.key"}


@pytest.mark.parametrize(
    ("server_name", "names"),
    [
        ("other.jp", "example.jp"),
        ("_", "example.jp"),
        ('""', "example.jp"),
        ("a.b.example.jp", "*.example.jp example.jp"),
        ("example.jp", "*.example.jp"),
        ("*.example.jp", "example.jp www.example.jp"),
        ("*.a.example.jp", "*.example.jp"),
        ("www.example.*", "example.jp"),
        ("~^www\\.", "example.jp"),
        ("~[", "example.jp"),
        ("myexample.jp", "example.jp"),
    ],
)
def test_a_block_with_other_names_is_not_touched(web: Web, server_name: str, names: str) -> None:
    assert web.refusal(block(server_name), *names.split()).code == "nginx-no-server-block"


def test_a_pattern_is_passed_over_where_a_block_has_the_name_itself(web: Web) -> None:
    """nginx prefers the literal name, so the pattern's block does not serve it."""
    deployment = web.proposal(block("~.", files="any") + block("example.jp www.example.jp"))
    assert set(written(deployment)) == {"a.pem", "a.key"}


@pytest.mark.parametrize(
    "listen",
    [
        "443 ssl",
        "443 ssl http2",
        "[::]:443 ssl",
        "*:443 ssl",
        "127.0.0.1:8443 default_server ssl",
        "443 quic",
        "443 quic,443 ssl",
    ],
)
def test_a_block_that_speaks_tls_is_found(web: Web, listen: str) -> None:
    assert written(web.proposal(block("example.jp", listen=listen)))


def test_ssl_on_one_block_makes_the_socket_speak_tls_for_all(web: Web) -> None:
    assert written(web.proposal(block("other.jp", files="b") + block("example.jp", listen="443")))


def test_the_old_ssl_on_counts(web: Web) -> None:
    assert written(web.proposal(block("example.jp", listen="8443", more="ssl on;")))
    assert written(web.proposal("ssl on;\n" + block("example.jp", listen="8443")))


@pytest.mark.parametrize("listen", ["80", "unix:/run/web.sock ssl", "8443"])
def test_a_block_without_tls_is_none_of_ours(web: Web, listen: str) -> None:
    assert web.refusal(block("example.jp", listen=listen)).code == "nginx-no-server-block"


def test_a_stream_is_none_of_ours(web: Web) -> None:
    with pytest.raises(InstallFailed) as failure:
        web.proposal("", outside=f"stream {{ {block('example.jp')} }}\n")
    assert failure.value.code == "nginx-no-server-block"


def test_a_block_that_rejects_handshakes_has_no_certificate(web: Web) -> None:
    rejecting = "server { listen 443 ssl; server_name example.jp; ssl_reject_handshake on; }"
    assert web.refusal(rejecting).code == "nginx-no-server-block"


def test_a_block_with_one_name_too_many_is_left_alone_and_told_of(web: Web) -> None:
    deployment = web.proposal(block("example.jp") + block("www.example.jp shop.jp", files="b"))
    assert set(written(deployment)) == {"a.pem", "a.key"}
    assert [(code, params["names"]) for code, params in deployment.notes] == [("nginx-block-left-alone", "shop.jp")]


def test_when_no_block_is_covered_whole_the_name_that_is_missing_is_named(web: Web) -> None:
    failure = web.refusal(block("example.jp shop.jp"))
    assert failure.code == "nginx-only-partly-covered"
    assert failure.params["names"] == "shop.jp"
    assert failure.params["place"] == f"{web.config}:3"


def test_a_wildcard_that_has_been_served_is_not_taken_away(web: Web) -> None:
    web.put("a", issued("example.jp", "*.example.jp"))
    assert web.refusal(block(".example.jp")).code == "nginx-only-partly-covered"


# -- which files ------------------------------------------------------------------------------------------------------


def test_certificate_and_key_go_where_the_block_says_and_the_certificate_first(web: Web) -> None:
    deployment = web.proposal(block("example.jp"))
    assert [(change.path, change.content) for change in deployment.files] == [
        (web.folder / "a.pem", b"cert\nchain\n"),
        (web.folder / "a.key", b"key\n"),
    ]
    assert all(change.mode is None and change.owner is None for change in deployment.files)


def test_what_http_says_is_inherited(web: Web) -> None:
    inherited = (
        "ssl_certificate all.pem; ssl_certificate_key all.key; server { listen 443 ssl; server_name example.jp; }"
    )
    assert set(written(web.proposal(inherited))) == {"all.pem", "all.key"}


def test_one_file_for_both_gets_both(web: Web) -> None:
    text = block("example.jp").replace("a.key", "a.pem")
    assert written(web.proposal(text)) == {"a.pem": b"key\ncert\nchain\n"}


def test_blocks_that_share_files_have_them_written_once(web: Web) -> None:
    deployment = web.proposal(block("example.jp") + block("www.example.jp"))
    assert len(deployment.files) == 2


def live_block(folder: Path, names: str = "example.jp") -> str:
    return (
        f"server {{ listen 443 ssl; server_name {names}; "
        f"ssl_certificate {folder}/fullchain.pem; ssl_certificate_key {folder}/privkey.pem; }}\n"
    )


def test_a_block_that_names_live_follows_by_itself(web: Web) -> None:
    deployment = web.proposal(live_block(web.live, "example.jp other.jp"))
    assert deployment.files == ()
    assert looked_at(deployment) == {("127.0.0.1", 443, "example.jp")}
    assert deployment.notes == ()


def test_a_link_into_live_is_live(web: Web) -> None:
    web.world.issue("main", issued(*NAMES))
    (web.folder / "certs").symlink_to(web.live)
    assert web.proposal(live_block(web.folder / "certs")).files == ()


def test_a_path_into_one_version_would_stay_behind(web: Web) -> None:
    web.world.issue("main", issued(*NAMES))
    assert web.refusal(live_block(web.live.resolve())).code == "nginx-pinned-to-a-version"


def test_another_lineages_files_are_not_ours_to_write(web: Web) -> None:
    deployment = web.proposal(live_block(web.live.parent / "other") + block("www.example.jp"))
    assert set(written(deployment)) == {"a.pem", "a.key"}
    assert [code for code, _ in deployment.notes] == ["nginx-other-certificate"]


def test_a_pair_from_two_lineages_is_refused(web: Web) -> None:
    text = live_block(web.live).replace(f"{web.live}/privkey", f"{web.live.parent}/other/privkey")
    assert web.refusal(text).code == "nginx-mixed-lineages"
    assert web.refusal(live_block(web.live).replace(f"{web.live}/privkey", "/etc/ssl/privkey")).code == (
        "nginx-mixed-lineages"
    )


def test_a_block_without_a_certificate_is_named(web: Web) -> None:
    failure = web.refusal("server { listen 443 ssl; server_name example.jp; }")
    assert failure.code == "nginx-no-certificate-directive"
    assert failure.params["place"] == f"{web.config}:3"


@pytest.mark.parametrize("value", ["$ssl_server_name.pem", "data:$certificate", "engine:pkcs11:token", "store:x"])
def test_what_is_no_file_is_refused(web: Web, value: str) -> None:
    failure = web.refusal(block("example.jp").replace("a.key", f'"{value}"'))
    assert failure.code == "nginx-not-a-file"
    assert failure.params["directive"] == "ssl_certificate_key"


@pytest.mark.parametrize(
    "neighbour",
    [
        block("other.jp"),
        block("other.jp", files="b").replace("b.pem", "a.pem"),
        block("other.jp", files="b").replace("b.key", "a.key"),
        block("_", files="b").replace("b.key", "a.key"),
    ],
)
def test_a_neighbour_that_would_be_broken_is_named(web: Web, neighbour: str) -> None:
    failure = web.refusal(block("example.jp") + neighbour)
    assert failure.code == "nginx-shared-file"
    assert failure.params["place"] == f"{web.config}:4"


def test_a_neighbour_through_a_symbolic_link_is_found(web: Web) -> None:
    (web.folder / "a.pem").write_bytes(b"")
    (web.folder / "b.pem").symlink_to("a.pem")
    assert web.refusal(block("example.jp") + block("other.jp", files="b")).code == "nginx-shared-file"


def test_a_default_block_may_share_the_files(web: Web) -> None:
    assert written(web.proposal(block("example.jp") + block("_")))


def dual(more: str = "") -> str:
    return block("example.jp", more="ssl_certificate b.pem; ssl_certificate_key b.key;" + more)


def test_of_rsa_and_ecdsa_the_one_of_our_kind_is_replaced(web: Web) -> None:
    web.put("a", issued(*NAMES, key_type=KeyType.RSA_2048))
    web.put("b", issued(*NAMES, issued_at=NOW - timedelta(days=60)))
    assert set(written(web.proposal(dual(), material=issued(*NAMES)))) == {"b.pem", "b.key"}


def test_when_it_cannot_be_told_which_it_is_refused(web: Web) -> None:
    assert web.refusal(dual(), material=issued(*NAMES)).code == "nginx-several-certificates"
    web.put("a", issued(*NAMES))
    web.put("b", issued(*NAMES))
    assert web.refusal(dual(), material=issued(*NAMES)).code == "nginx-several-certificates"


def test_beside_ecdsa_nobody_is_shown_the_rsa_certificate_so_nobody_looks(web: Web) -> None:
    web.put("a", issued(*NAMES, key_type=KeyType.RSA_2048))
    web.put("b", issued(*NAMES))
    deployment = web.proposal(dual(), material=issued(*NAMES, key_type=KeyType.RSA_2048))
    assert set(written(deployment)) == {"a.pem", "a.key"}
    assert deployment.probes == ()
    assert [code for code, _ in deployment.notes] == ["nginx-rsa-not-probed"]


# -- where to look, what to run ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listen", "places"),
    [
        ("443 ssl", {("127.0.0.1", 443)}),
        ("*:8443 ssl", {("127.0.0.1", 8443)}),
        ("[::]:443 ssl ipv6only=on", {("::1", 443)}),
        ("443 ssl,[::]:443 ssl", {("127.0.0.1", 443), ("::1", 443)}),
        ("192.0.2.7:443 ssl", {("192.0.2.7", 443)}),
        ("[2001:db8::1]:443 ssl", {("2001:db8::1", 443)}),
        ("localhost:443 ssl", {("localhost", 443)}),
        ("443 ssl,443 quic", {("127.0.0.1", 443)}),
        ("443 ssl,unix:/run/x ssl", {("127.0.0.1", 443)}),
        ("8443-8445 ssl", {("127.0.0.1", 8443)}),
        ("127.0.0.1 ssl", {("127.0.0.1", 80)}),
        ("443 ssl,80", {("127.0.0.1", 443)}),
    ],
)
def test_every_tls_listener_is_looked_at(web: Web, listen: str, places: set[tuple[str, int]]) -> None:
    found = looked_at(web.proposal(block("example.jp", listen=listen)))
    assert found == {(host, port, "example.jp") for host, port in places}


def test_the_addresses_of_the_configuration_win(web: Web) -> None:
    deployment = web.proposal(block("example.jp"), probe=["192.0.2.1:8443", "[::1]:444"])
    assert looked_at(deployment) == {("192.0.2.1", 8443, "example.jp"), ("::1", 444, "example.jp")}


def test_a_wildcard_is_looked_at_under_a_name_below_it(web: Web) -> None:
    deployment = web.proposal(block("*.example.jp example.jp"), "example.jp", "*.example.jp")
    assert {name for _, _, name in looked_at(deployment)} == {"example.jp", "jprs-client-probe.example.jp"}


@pytest.mark.parametrize("listen", ["443 quic", "443 ssl proxy_protocol"])
def test_where_nobody_can_look_it_is_told(web: Web, listen: str) -> None:
    deployment = web.proposal(block("example.jp", listen=listen))
    assert deployment.probes == ()
    assert [code for code, _ in deployment.notes] == ["nginx-not-probed"]


def test_a_default_block_under_live_is_looked_at_by_the_names_that_no_block_has(web: Web) -> None:
    deployment = web.proposal(live_block(web.live, "_") + block("www.example.jp other.jp", files="b"))
    assert looked_at(deployment) == {("127.0.0.1", 443, "example.jp")}
    assert looked_at(
        web.proposal(
            block("other.jp", files="b", listen="443 ssl,8443 default_server ssl")
            + live_block(web.live, "_").replace("listen 443", "listen 8443")
            + live_block(web.live, "example.jp")
        )
    ) == {("127.0.0.1", 443, "example.jp")}


def test_many_names_and_blocks_are_looked_at_in_part(web: Web) -> None:
    names = [f"h{number}.example.jp" for number in range(300)]
    one = web.proposal(block(" ".join(names)), *names)
    assert len(one.probes) == 8
    many = web.proposal("".join(block(name) for name in names), *names)
    assert len(many.probes) == 200
    assert [code for code, _ in many.notes] == ["nginx-some-not-probed"]


def test_nginx_is_asked_about_the_same_configuration(web: Web) -> None:
    deployment = web.proposal(block("example.jp"))
    assert deployment.check == ("nginx", "-t", "-q", "-c", str(web.config))
    assert deployment.reload == ("systemctl", "reload", "nginx")


def test_a_prefix_is_given_to_nginx_only_when_a_person_gave_one(web: Web) -> None:
    deployment = web.proposal(
        block("example.jp"), prefix=Path("/opt/nginx"), binary="/opt/nginx/nginx", reload=["kill", "-HUP", "1"]
    )
    assert deployment.check == ("/opt/nginx/nginx", "-t", "-q", "-p", "/opt/nginx", "-c", str(web.config))
    assert deployment.reload == ("kill", "-HUP", "1")


@pytest.mark.parametrize(
    ("names", "host", "expected"),
    [
        ({"example.jp"}, "example.jp", True),
        ({"*.example.jp"}, "a.example.jp", True),
        ({"*.example.jp"}, "example.jp", False),
        ({"*.example.jp"}, "a.b.example.jp", False),
        ({"example.jp"}, "www.example.jp", False),
    ],
)
def test_a_star_stands_for_one_label(names: set[str], host: str, expected: bool) -> None:
    assert covers(names, host) is expected


WORDS = st.sampled_from(
    [
        *("example.jp", "*.example.jp", ".example.jp", "_", '""', "~(", "~^(?<a>.)\\1", "www.*", "日本.jp"),
        *("443", "[::]:443", "99999", "99999999", "unix:x", ":443", "[::1", "-1", "ssl", "quic", "on"),
        *("$a", "a.pem", "a.key", "data:", "../x", "/"),
    ]
)
STATEMENTS = st.sampled_from(
    ["listen", "server_name", "ssl_certificate", "ssl_certificate_key", "ssl", "ssl_reject_handshake"]
)
LINES = st.builds(lambda name, words: f"{name} {' '.join(words)};", STATEMENTS, st.lists(WORDS, max_size=3))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(blocks=st.lists(st.lists(LINES, max_size=8), max_size=3), outer=st.lists(LINES, max_size=3))
def test_whatever_the_blocks_say_only_our_own_error_is_raised(
    tmp_path: Path, blocks: list[list[str]], outer: list[str]
) -> None:
    config = tmp_path / "nginx.conf"
    servers = "".join(f"server {{ {' '.join(lines)} }}\n" for lines in blocks)
    config.write_text(f"http {{ {' '.join(outer)}\n{servers} }}")
    site = Site("main", frozenset({"example.jp", "*.example.jp"}), tmp_path / "live/main")
    try:
        deployment = Nginx({"config": config}).deployment(site, MATERIAL)
    except InstallFailed as failure:
        assert failure.code.startswith("nginx-")
    else:
        assert all(0 < probe.port < 65536 for probe in deployment.probes)
