"""What the Apache installer proposes: which hosts, which files, which pairs, where to look, and what it refuses."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jprs_client.errors import InstallFailed
from jprs_client.keys import KeyType
from jprs_client.locale import apache as sentences
from jprs_client.plugin import Deployment, Material, Site
from jprs_plugins.apache import Apache
from jprs_plugins.apache_servers import CODES
from tests.install.world import NOW, World, issued

NAMES = ("example.jp", "www.example.jp")
MATERIAL = Material(b"cert\n", b"chain\n", b"key\n")


class Web:
    """A configuration under `folder`, and a state with the lineage "main" beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "apache"
        self.folder.mkdir()
        self.world = World(folder)
        self.live = self.world.live("main")
        self.config = self.folder / "apache2.conf"

    def proposal(
        self, text: str, *names: str, material: Material = MATERIAL, listen: str = "443", **more: object
    ) -> Deployment:
        listens = "".join(f"Listen {one}\n" for one in listen.split(","))
        self.config.write_text(f"LoadModule ssl_module modules/mod_ssl.so\n{listens}{text}\n")
        site = Site("main", frozenset(names or NAMES), self.live)
        return Apache({"config": self.config, **more}).deployment(site, material)

    def refusal(self, text: str, *names: str, material: Material = MATERIAL, listen: str = "443") -> InstallFailed:
        with pytest.raises(InstallFailed) as failure:
            self.proposal(text, *names, material=material, listen=listen)
        assert failure.value.exit_code == 7
        assert f"error.{failure.value.code}" in sentences.EN
        return failure.value

    def put(self, name: str, material: Material) -> None:
        (self.folder / f"{name}.pem").write_bytes(material.fullchain_pem)
        (self.folder / f"{name}.key").write_bytes(material.private_key_pem)


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return Web(tmp_path)


def host(names: str, *, at: str = "*:443", files: str = "a", engine: str = "SSLEngine on", more: str = "") -> str:
    """A virtual host; the first of `names` is its ServerName."""
    first, *aliases = names.split() or [""]
    lines = [
        f"<VirtualHost {at}>",
        f"ServerName {first}" if first else "",
        f"ServerAlias {' '.join(aliases)}" if aliases else "",
        engine,
        f"SSLCertificateFile {files}.pem\nSSLCertificateKeyFile {files}.key" if files else "",
        more,
        "</VirtualHost>\n",
    ]
    return "\n".join(line for line in lines if line)


def written(deployment: Deployment) -> dict[str, bytes]:
    return {change.path.name: change.content for change in deployment.files}


def looked_at(deployment: Deployment) -> set[tuple[str, int, str]]:
    return {(probe.host, probe.port, probe.server_name) for probe in deployment.probes}


def pairs(deployment: Deployment) -> list[tuple[str, str]]:
    return [(pair.certificate.name, pair.key.name) for pair in deployment.pairs]


def codes(deployment: Deployment) -> list[str]:
    assert all(f"note.{code}" in sentences.EN for code, _ in deployment.notes)
    return [code for code, _ in deployment.notes]


def test_every_code_has_its_sentences() -> None:
    told = {name: getattr(CODES, name) for name in CODES.__slots__}
    notes = [code for name, code in told.items() if f"note.{code}" in sentences.EN]
    errors = [code for code in told.values() if f"error.{code}" in sentences.EN and f"next.{code}" in sentences.EN]
    assert sorted(notes + errors) == sorted(told.values())


# -- which hosts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "names"),
    [
        ("example.jp", "example.jp"),
        ("EXAMPLE.jp", "example.jp"),
        ("https://example.jp:443", "example.jp"),
        ("example.jp:8443", "example.jp"),
        ("example.jp www.example.jp", "example.jp www.example.jp"),
        ("a.example.jp", "*.example.jp example.jp"),
        ("example.jp *.example.jp", "*.example.jp example.jp"),
        ("example.jp *.example.jp", "example.jp www.example.jp"),
        ("_ www.example.*", "www.example.jp"),
        ("_ ww?.example.jp", "www.example.jp"),
        ("_ *example.jp", "example.jp"),
        ("example.jp localhost 192.0.2.1", "example.jp"),
        ('"example.jp"', "example.jp"),
        ("xn--r8jz45g.jp", "xn--r8jz45g.jp"),
    ],
)
def test_a_host_is_for_a_certificate_that_covers_its_names(web: Web, server: str, names: str) -> None:
    assert set(written(web.proposal(host(server), *names.split()))) == {"a.pem", "a.key"}


@pytest.mark.parametrize(
    ("server", "names"),
    [
        ("other.jp", "example.jp"),
        ("_", "example.jp"),
        ("", "example.jp"),
        ("a.b.example.jp", "*.example.jp example.jp"),
        ("example.jp", "*.example.jp"),
        ("_ *.example.jp", "example.jp"),
        ("_ ww?.example.jp", "example.jp"),
        ("myexample.jp", "example.jp"),
    ],
)
def test_a_host_with_other_names_is_not_touched(web: Web, server: str, names: str) -> None:
    assert web.refusal(host(server), *names.split()).code == "apache-no-virtual-host"


def test_a_host_without_a_name_has_the_main_servers(web: Web) -> None:
    assert written(web.proposal("ServerName example.jp\n" + host("")))
    elsewhere = web.refusal("ServerName example.jp\n" + host("", at="192.0.2.1:443"))
    assert elsewhere.code == "apache-no-virtual-host"


@pytest.mark.parametrize(
    ("text", "listen"),
    [
        (host("example.jp"), "443"),
        (host("example.jp", engine="sslengine ON"), "443"),
        (host("example.jp", engine=""), "443"),
        (host("example.jp", at="*:8443", engine=""), "8443 https"),
        (host("example.jp", at="192.0.2.1:443", engine=""), "80,192.0.2.1:443"),
        (host("example.jp", at="*:443 *:80", engine=""), "80,443"),
        (host("example.jp", at="*:8443"), "8443"),
        (host("example.jp", at="*"), "8443"),
        (host("example.jp", at="*:*"), "8443"),
        (host("example.jp", at="_default_:443"), "443"),
        (host("example.jp", at="[::1]:443"), "443"),
        (host("example.jp", at="192.0.2.1:443 *:8443"), "443,8443"),
        ("SSLEngine on\n" + host("example.jp", at="*:8443", engine=""), "8443"),
        (host("example.jp").replace("VirtualHost", "virtualhost"), "443"),
        (host("example.jp").replace(" *:443", " \\\n  *:443"), "443"),
        (f"<IfModule mod_ssl.c>\n{host('example.jp')}</IfModule>", "443"),
        (f"<IfModule !mod_nss.c>\n{host('example.jp')}</IfModule>", "443"),
        (f"Define web\n<IfDefine web>\n{host('example.jp')}</IfDefine>", "443"),
        (f"Define name example.jp\n{host('${name}')}", "443"),
        (f"<Macro Site $name>\n{host('$name')}</Macro>\nUse site example.jp", "443"),
        ("ServerName example.jp\nSSLEngine on\nSSLCertificateFile a.pem\nSSLCertificateKeyFile a.key", "443"),
        ("SSLCertificateFile a.pem\nSSLCertificateKeyFile a.key\n" + host("example.jp", files=""), "443"),
        (host("example.jp", engine="SSLEngine optional"), "443"),
    ],
)
def test_a_host_that_speaks_tls_is_found(web: Web, text: str, listen: str) -> None:
    deployment = web.proposal(text, listen=listen)
    assert set(written(deployment)) == {"a.pem", "a.key"}
    assert pairs(deployment) == [("a.pem", "a.key")]


@pytest.mark.parametrize(
    "text",
    [
        host("example.jp", engine="SSLEngine off"),
        host("example.jp", at="*:80", engine=""),
        host("example.jp", at="*", engine=""),
        host("example.jp", at="192.0.2.1:443", engine=""),
        "ServerName example.jp\nSSLCertificateFile a.pem",
        host("example.jp", engine="", files=""),
        "SSLEngine on\n" + host("example.jp", engine="SSLEngine off"),
        f"<IfModule mod_nss.c>\n{host('example.jp')}</IfModule>",
        f"<IfDefine web>\n{host('example.jp')}</IfDefine>",
        f"<IfFile nothing.pem>\n{host('example.jp')}</IfFile>",
        f"<IfVersion < 2.4>\n{host('example.jp')}</IfVersion>",
        f"<Macro Site>\n{host('example.jp')}</Macro>",
        "# " + host("example.jp").replace("\n", "\n# "),
        "ServerName example.jp\nSSLEngine on\nSSLCertificateFile a.pem\n" + host("other.jp", files="b"),
    ],
)
def test_a_host_without_tls_is_none_of_ours(web: Web, text: str) -> None:
    assert web.refusal(text).code == "apache-no-virtual-host"


def test_a_host_with_one_name_too_many_is_left_alone_and_told_of(web: Web) -> None:
    deployment = web.proposal(host("example.jp") + host("www.example.jp shop.jp", files="b"))
    assert set(written(deployment)) == {"a.pem", "a.key"}
    assert [(code, params["names"]) for code, params in deployment.notes] == [("apache-host-left-alone", "shop.jp")]


def test_when_no_host_is_covered_whole_the_name_that_is_missing_is_named(web: Web) -> None:
    failure = web.refusal(host("example.jp shop.jp"))
    assert failure.code == "apache-only-partly-covered"
    assert failure.params["names"] == "shop.jp"
    assert failure.params["place"] == f"{web.config}:3"


def test_a_wildcard_that_has_been_served_is_not_taken_away(web: Web) -> None:
    web.put("a", issued("example.jp", "*.example.jp"))
    assert web.refusal(host("example.jp *.example.jp")).code == "apache-only-partly-covered"


# -- which files -------------------------------------------------------------------------------------------------------


def test_certificate_and_key_go_where_the_host_says_and_the_certificate_first(web: Web) -> None:
    deployment = web.proposal(host("example.jp"))
    assert [(change.path, change.content) for change in deployment.files] == [
        (web.folder / "a.pem", b"cert\nchain\n"),
        (web.folder / "a.key", b"key\n"),
    ]
    assert all(change.mode is None and change.owner is None for change in deployment.files)


def test_relative_paths_count_from_the_server_root(web: Web, tmp_path: Path) -> None:
    other = tmp_path / "root"
    assert {change.path for change in web.proposal(host("example.jp"), prefix=other).files} == {
        other / "a.pem",
        other / "a.key",
    }
    assert web.proposal(f'ServerRoot "{other}"\n{host("example.jp")}').files[0].path == other / "a.pem"


def test_a_key_in_the_certificates_own_file_is_written_there(web: Web) -> None:
    deployment = web.proposal(host("example.jp", files="", more="SSLCertificateFile a.pem"))
    assert written(deployment) == {"a.pem": b"key\ncert\nchain\n"}
    assert pairs(deployment) == [("a.pem", "a.pem")]


def test_a_chain_in_a_file_of_its_own_is_written_there(web: Web) -> None:
    """With SSLCertificateChainFile Apache shows what that holds, and not what stands behind the certificate."""
    deployment = web.proposal(host("example.jp", more="SSLCertificateChainFile chain.pem"))
    assert written(deployment) == {"a.pem": b"cert\n", "chain.pem": b"chain\n", "a.key": b"key\n"}


def test_a_chain_file_that_is_the_certificates_holds_both(web: Web) -> None:
    deployment = web.proposal(host("example.jp", more="SSLCertificateChainFile a.pem"))
    assert written(deployment) == {"a.pem": b"cert\nchain\n", "a.key": b"key\n"}


def test_who_shares_the_certificates_file_without_a_chain_file_keeps_the_chain(web: Web) -> None:
    text = host("example.jp", more="SSLCertificateChainFile chain.pem") + host("www.example.jp")
    assert written(web.proposal(text))["a.pem"] == b"cert\nchain\n"


def test_a_chain_file_that_others_need_with_another_content_is_refused(web: Web) -> None:
    text = "SSLCertificateChainFile chain.pem\n" + host("example.jp") + host("other.jp", files="b")
    failure = web.refusal(text)
    assert (failure.code, failure.params["file"]) == ("apache-shared-file", str(web.folder / "chain.pem"))
    (web.folder / "chain.pem").write_bytes(b"chain\n")
    assert set(written(web.proposal(text))) == {"a.pem", "a.key", "chain.pem"}


def live_host(folder: Path, names: str = "example.jp", more: str = "") -> str:
    named = f"SSLCertificateFile {folder}/fullchain.pem\nSSLCertificateKeyFile {folder}/privkey.pem\n{more}"
    return host(names, files="", more=named)


def test_a_host_that_names_live_follows_by_itself(web: Web) -> None:
    deployment = web.proposal(live_host(web.live, "example.jp other.jp"))
    assert deployment.files == ()
    assert looked_at(deployment) == {("127.0.0.1", 443, "example.jp")}
    assert deployment.notes == ()
    assert pairs(deployment) == [("fullchain.pem", "privkey.pem")]


def test_the_chain_under_live_follows_as_well_and_another_is_told_of(web: Web) -> None:
    apart = live_host(web.live, more=f"SSLCertificateChainFile {web.live}/chain.pem").replace("fullchain", "cert")
    assert web.proposal(apart).notes == ()
    stays = web.proposal(live_host(web.live, more="SSLCertificateChainFile old.pem"))
    assert (stays.files, codes(stays)) == ((), ["apache-chain-elsewhere"])
    half = web.proposal(host("example.jp", more=f"SSLCertificateChainFile {web.live}/chain.pem"))
    assert written(half) == {"a.pem": b"cert\n", "a.key": b"key\n"}


def test_a_link_into_live_is_live(web: Web) -> None:
    web.world.issue("main", issued(*NAMES))
    (web.folder / "certs").symlink_to(web.live)
    assert web.proposal(live_host(web.folder / "certs")).files == ()


def test_a_path_into_one_version_would_stay_behind(web: Web) -> None:
    web.world.issue("main", issued(*NAMES))
    assert web.refusal(live_host(web.live.resolve())).code == "apache-pinned-to-a-version"


def test_another_lineages_files_are_not_ours_to_write(web: Web) -> None:
    other = live_host(web.live.parent / "other")
    deployment = web.proposal(other + host("www.example.jp"))
    assert set(written(deployment)) == {"a.pem", "a.key"}
    assert codes(deployment) == ["apache-other-certificate"]
    assert web.refusal(other).code == "apache-only-other-certificate"


@pytest.mark.parametrize(
    "text",
    [
        lambda live: live_host(live).replace(f"{live}/privkey", f"{live.parent}/other/privkey"),
        lambda live: live_host(live).replace(f"{live}/privkey", "/etc/ssl/privkey"),
        lambda live: host("example.jp", more=f"SSLCertificateChainFile {live.parent}/other/chain.pem"),
    ],
)
def test_a_pair_from_two_places_is_refused(web: Web, text: object) -> None:
    assert callable(text)
    assert web.refusal(text(web.live)).code == "apache-mixed-lineages"


def test_a_host_without_a_certificate_is_named(web: Web) -> None:
    failure = web.refusal(host("example.jp", files=""))
    assert failure.code == "apache-no-certificate-directive"
    assert failure.params["place"] == f"{web.config}:3"


@pytest.mark.parametrize("value", ['"pkcs11:token=a"', "${not-defined}.pem", '""'])
def test_what_is_no_file_is_refused(web: Web, value: str) -> None:
    failure = web.refusal(host("example.jp").replace("a.key", value))
    assert failure.code == "apache-not-a-file"
    assert failure.params["directive"] == "SSLCertificateKeyFile"
    assert failure.params["place"] == f"{web.config}:7"


@pytest.mark.parametrize(
    "neighbour",
    [
        host("other.jp"),
        host("other.jp", files="b").replace("b.pem", "a.pem"),
        host("other.jp", files="b").replace("b.key", "a.key"),
        host("_", files="b").replace("b.key", "a.key"),
        host("other.jp", files="", more="SSLCertificateFile a.pem"),
    ],
)
def test_a_neighbour_that_would_be_broken_is_named(web: Web, neighbour: str) -> None:
    failure = web.refusal(host("example.jp") + neighbour)
    assert failure.code == "apache-shared-file"
    assert failure.params["place"] == f"{web.config}:9"


def test_a_neighbour_through_a_symbolic_link_is_found(web: Web) -> None:
    (web.folder / "a.pem").write_bytes(b"")
    (web.folder / "b.pem").symlink_to("a.pem")
    assert web.refusal(host("example.jp") + host("other.jp", files="b")).code == "apache-shared-file"


def test_hosts_that_share_files_whole_have_them_written_once(web: Web) -> None:
    deployment = web.proposal(host("example.jp") + host("www.example.jp") + host("_"))
    assert len(deployment.files) == 2
    assert pairs(deployment) == [("a.pem", "a.key")]


# -- RSA and ECDSA -----------------------------------------------------------------------------------------------------


def dual() -> str:
    return host("example.jp", more="SSLCertificateFile b.pem\nSSLCertificateKeyFile b.key")


def test_of_rsa_and_ecdsa_the_one_of_our_kind_is_replaced(web: Web) -> None:
    web.put("a", issued(*NAMES, key_type=KeyType.RSA_2048))
    web.put("b", issued(*NAMES, issued_at=NOW - timedelta(days=60)))
    deployment = web.proposal(dual(), material=issued(*NAMES))
    assert set(written(deployment)) == {"b.pem", "b.key"}
    assert pairs(deployment) == [("a.pem", "a.key"), ("b.pem", "b.key")]


def test_when_it_cannot_be_told_which_it_is_refused(web: Web) -> None:
    assert web.refusal(dual(), material=issued(*NAMES)).code == "apache-several-certificates"


def test_beside_ecdsa_nobody_is_shown_the_rsa_certificate_so_nobody_looks(web: Web) -> None:
    web.put("a", issued(*NAMES, key_type=KeyType.RSA_2048))
    web.put("b", issued(*NAMES))
    deployment = web.proposal(dual(), material=issued(*NAMES, key_type=KeyType.RSA_2048))
    assert set(written(deployment)) == {"a.pem", "a.key"}
    assert deployment.probes == ()
    assert codes(deployment) == ["apache-rsa-not-probed"]


# -- pairs -------------------------------------------------------------------------------------------------------------


def test_every_pair_that_apache_will_read_is_named_with_its_place(web: Web) -> None:
    deployment = web.proposal(
        host("example.jp") + host("other.jp", files="b") + host("_", at="192.0.2.1:444", files="c")
        + host("plain.jp", at="*:80", engine="", files="d") + host("off.jp", engine="SSLEngine off", files="e"),
        listen="80,443",
    )  # fmt: skip
    assert [(pair.certificate, pair.key, pair.place) for pair in deployment.pairs] == [
        (web.folder / "a.pem", web.folder / "a.key", f"{web.config}:7"),
        (web.folder / "b.pem", web.folder / "b.key", f"{web.config}:13"),
        (web.folder / "c.pem", web.folder / "c.key", f"{web.config}:19"),
    ]


def test_the_nth_key_is_the_nth_certificates_whoever_wrote_it(web: Web) -> None:
    main = "SSLCertificateFile m.pem\nSSLCertificateFile n.pem\nSSLCertificateKeyFile m.key\n"
    own = web.proposal(main + host("example.jp"))
    assert pairs(own) == [("a.pem", "a.key"), ("n.pem", "n.pem")]
    assert set(written(own)) == {"a.pem", "a.key"}
    crossed = web.proposal(
        "SSLCertificateFile m.pem\nSSLCertificateKeyFile m.key\n"
        + host("other.jp", files="", more="SSLCertificateKeyFile x.key") + host("example.jp")
    )  # fmt: skip
    assert pairs(crossed) == [("m.pem", "x.key"), ("a.pem", "a.key")]


# -- where to look, what to run ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "listen", "places"),
    [
        ("*:443", "443", {("127.0.0.1", 443)}),
        ("*:443", "0.0.0.0:443,[::]:443", {("127.0.0.1", 443), ("::1", 443)}),
        ("_default_:8443", "443,8443 https", {("127.0.0.1", 8443)}),
        ("*", "443,8443", {("127.0.0.1", 443), ("127.0.0.1", 8443)}),
        ("*:443", "192.0.2.7:443,127.0.0.1:8443", {("192.0.2.7", 443)}),
        ("192.0.2.7:443", "443", {("192.0.2.7", 443)}),
        ("192.0.2.7", "192.0.2.7:443,80", {("192.0.2.7", 443), ("192.0.2.7", 80)}),
        ("[2001:db8::1]:443 192.0.2.7:443", "443", {("2001:db8::1", 443), ("192.0.2.7", 443)}),
        ("localhost:443", "443", {("localhost", 443)}),
        ("127.0.0.1:443", "127.0.0.1:443", {("127.0.0.1", 443)}),
        ("*:444", "443", set()),
        ("*:99999", "443,99999,0,x,[::1", set()),
    ],
)
def test_every_listener_of_a_host_is_looked_at(web: Web, at: str, listen: str, places: set[tuple[str, int]]) -> None:
    deployment = web.proposal(host("example.jp", at=at), listen=listen)
    assert looked_at(deployment) == {(address, port, "example.jp") for address, port in places}
    assert codes(deployment) == ([] if places else ["apache-not-probed"])


def test_where_another_host_has_the_address_for_its_own_nobody_looks(web: Web) -> None:
    """httpd takes the host with the closest address; the name is asked for among those alone."""
    closer = host("other.jp", at="127.0.0.1:443", files="b")
    deployment = web.proposal(host("example.jp") + closer, listen="443")
    assert (deployment.probes, codes(deployment)) == ((), ["apache-not-probed"])
    assert looked_at(web.proposal(host("example.jp", at="192.0.2.1:443 *:443") + closer, listen="443")) == {
        ("192.0.2.1", 443, "example.jp")
    }
    assert web.proposal(host("example.jp", at="*") + host("other.jp", files="b"), listen="443").probes == ()


def test_where_the_first_host_of_an_address_speaks_no_tls_nobody_looks(web: Web) -> None:
    deployment = web.proposal(host("first.jp", engine="SSLEngine off", files="") + host("example.jp"))
    assert (deployment.probes, codes(deployment)) == ((), ["apache-not-probed"])


@pytest.mark.parametrize(
    "text",
    [
        host("example.jp", more="RemoteIPProxyProtocol On"),
        "RemoteIPProxyProtocol On\n" + host("example.jp"),
        host("example.jp", engine="SSLEngine optional"),
    ],
)
def test_who_waits_for_more_than_tls_is_not_looked_at(web: Web, text: str) -> None:
    deployment = web.proposal(text)
    assert (deployment.probes, codes(deployment)) == ((), ["apache-not-probed"])


def test_the_main_server_is_looked_at_where_no_host_is(web: Web) -> None:
    main = "ServerName example.jp\nSSLEngine on\nSSLCertificateFile a.pem\nSSLCertificateKeyFile a.key\n"
    assert looked_at(web.proposal(main + host("other.jp", files="b"), listen="443,8443 https")) == {
        ("127.0.0.1", 8443, "example.jp")
    }


def test_a_default_host_under_live_is_looked_at_by_the_names_that_no_host_has(web: Web) -> None:
    first = live_host(web.live, "_")
    assert looked_at(web.proposal(first + host("www.example.jp other.jp", files="b"))) == {
        ("127.0.0.1", 443, "example.jp")
    }
    second = web.proposal(host("www.example.jp other.jp", files="b") + first)
    assert (second.probes, codes(second)) == ((), ["apache-host-left-alone", "apache-not-probed"])


def test_the_addresses_of_the_configuration_win(web: Web) -> None:
    deployment = web.proposal(host("example.jp"), probe=["192.0.2.1:8443", "[::1]:444"])
    assert looked_at(deployment) == {("192.0.2.1", 8443, "example.jp"), ("::1", 444, "example.jp")}


def test_a_wildcard_is_looked_at_under_a_name_below_it(web: Web) -> None:
    deployment = web.proposal(host("example.jp *.example.jp"), "example.jp", "*.example.jp")
    assert {name for _, _, name in looked_at(deployment)} == {"example.jp", "jprs-client-probe.example.jp"}


def test_many_names_and_hosts_are_looked_at_in_part(web: Web) -> None:
    names = [f"h{number}.example.jp" for number in range(300)]
    assert len(web.proposal(host(" ".join(names)), *names).probes) == 8
    many = web.proposal("".join(host(name) for name in names), *names)
    assert len(many.probes) == 200
    assert codes(many) == ["apache-some-not-probed"]


def test_debians_apache_is_asked_by_apache2ctl(web: Web) -> None:
    deployment = web.proposal(host("example.jp"))
    assert deployment.check == ("apache2ctl", "-t", "-f", str(web.config))
    assert deployment.reload == ("systemctl", "reload", "apache2")


def test_another_httpd_is_asked_as_a_person_says(web: Web) -> None:
    deployment = web.proposal(
        host("example.jp"), prefix=Path("/etc/httpd"), binary="httpd", reload=["systemctl", "reload", "httpd"]
    )
    assert deployment.check == ("httpd", "-d", "/etc/httpd", "-t", "-f", str(web.config))
    assert deployment.reload == ("systemctl", "reload", "httpd")


def test_the_variables_of_envvars_are_known(web: Web) -> None:
    (web.folder / "envvars").write_text(
        'unset HOME\nSUFFIX=\nexport APACHE_RUN_DIR=/run/apache2$SUFFIX\n export A_DIR="${APACHE_RUN_DIR}/tls" # here\n'
    )
    deployment = web.proposal(host("example.jp", files="${A_DIR}/a"))
    assert [str(change.path) for change in deployment.files] == ["/run/apache2/tls/a.pem", "/run/apache2/tls/a.key"]


def test_what_only_perl_knows_is_told(web: Web) -> None:
    deployment = web.proposal(host("example.jp") + "<Perl>\n$VirtualHost{'*:443'} = { <<'EOF' };\n</Perl>")
    assert codes(deployment) == ["apache-not-read"]
    assert deployment.notes[0][1]["place"] == f"{web.config}:9"


def test_what_cannot_be_read_is_left_to_apache_to_tell(web: Web) -> None:
    failure = web.refusal("<VirtualHost *:443>\n")
    assert failure.code == "apache-config-broken"
    assert failure.params["check"] == f"apache2ctl -t -f {web.config}"


def test_ten_thousand_hosts_are_read_in_seconds(web: Web) -> None:
    """Each with an address of its own; quadratic work would take minutes."""
    many = "".join(host(f"h{number}.jp", at=f"10.{number >> 8}.{number & 255}.1:443") for number in range(10_000))
    deployment = web.proposal(many + host("example.jp", files="b"))
    assert set(written(deployment)) == {"b.pem", "b.key"}


WORDS = st.sampled_from(
    [
        *("example.jp", "*.example.jp", "*", "?", '""', "https://", "[", "::1", "example.jp:99999", "日本.jp", "${a"),
        *("443", "*:443", "[::1]:443", "_default_:*", "99999999", "localhost", "-1", "on", "off", "optional", "https"),
        *("a.pem", "a.key", "pkcs11:", "../x", "/", "${A}", "'", "\\", "!", "name", "$n"),
    ]
)
STATEMENTS = st.sampled_from(
    [
        *("Listen", "ServerName", "ServerAlias", "SSLEngine", "SSLCertificateFile", "SSLCertificateKeyFile"),
        *("SSLCertificateChainFile", "Define", "UnDefine", "Use", "RemoteIPProxyProtocol", "ServerRoot"),
    ]
)
LINES = st.builds(lambda name, words: f"{name} {' '.join(words)}", STATEMENTS, st.lists(WORDS, max_size=3))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(
    hosts=st.lists(st.tuples(st.lists(WORDS, max_size=2), st.lists(LINES, max_size=8)), max_size=3),
    outer=st.lists(LINES, max_size=5),
)
def test_whatever_the_hosts_say_only_our_own_error_is_raised(
    tmp_path: Path, hosts: list[tuple[list[str], list[str]]], outer: list[str]
) -> None:
    config = tmp_path / "apache2.conf"
    inner = [line for at, lines in hosts for line in (f"<VirtualHost {' '.join(at)}>", *lines, "</VirtualHost>")]
    config.write_text("\n".join([*outer, "Listen 443", *inner]))
    site = Site("main", frozenset({"example.jp", "*.example.jp"}), tmp_path / "live/main")
    try:
        deployment = Apache({"config": config}).deployment(site, MATERIAL)
    except InstallFailed as failure:
        assert failure.code.startswith("apache-")
    else:
        assert all(0 < probe.port < 65536 for probe in deployment.probes)
