"""RFC 8555 §7.1.1 and §7.2: the directory and what it promises."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from jprs_client.testca.conformance.registry import MAY, MUST, SHOULD, Probe, expect, probe, skip
from jprs_client.testca.conformance.server import Server, text

_HOST = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*\Z")


@probe("8555-7.1.1-directory", "RFC 8555 §7.1.1", MUST)
def reachable(server: Server) -> None:
    """A plain GET of the directory answers 200 with a JSON object."""
    answer = server.directory_answer
    expect(answer.status == 200, answer.said)
    answer.document()


@probe("8555-7.1.1-json", "RFC 8555 §7.1.1", MUST)
def content_type(server: Server) -> None:
    """The directory is sent as application/json."""
    expect(server.directory_answer.media_type == "application/json", server.directory_answer.media_type or "no type")


def _has(resource: str) -> Probe:
    @probe(f"8555-7.1.1-{resource}", "RFC 8555 §7.1.1", MUST, f"The directory has {resource}, an absolute https URL.")
    def run(server: Server) -> None:
        where = urlsplit(text(server.directory, resource))
        expect(where.scheme == "https" and where.hostname, f"{where.scheme or 'no'} URL")

    return run


RESOURCES = tuple(_has(name) for name in ("newNonce", "newAccount", "newOrder", "revokeCert", "keyChange"))


@probe("8555-7.1.1-distinct", "RFC 8555 §7.1.1", SHOULD)
def distinct(server: Server) -> None:
    """Each resource of the directory has an address of its own."""
    found = [value for value in server.directory.values() if isinstance(value, str)]
    expect(len(found) == len(set(found)), "two resources at one address")


@probe("8555-7.1.1-meta-object", "RFC 8555 §7.1.1", MUST)
def meta(server: Server) -> None:
    """The directory's meta, where there is one, is an object."""
    expect(isinstance(server.directory.get("meta", {}), dict), "meta is no object")


@probe("8555-7.1.1-terms-of-service", "RFC 8555 §7.1.1", MUST)
def terms(server: Server) -> None:
    """The terms of service in meta, where there are any, are named by a URL."""
    if "termsOfService" not in server.meta:
        skip("the server has no terms of service")
    expect(urlsplit(text(server.meta, "termsOfService")).scheme, "termsOfService is no URL")


@probe("8555-7.1.1-terms-readable", "RFC 8555 §7.1.1", MAY)
def terms_readable(server: Server) -> None:
    """Whoever follows the terms of service over HTTP finds them."""
    where = server.meta.get("termsOfService")
    if not isinstance(where, str) or not where.startswith(("http://", "https://")):
        skip("the server has no terms of service over HTTP")
    answer = server.wire.request("GET", where)
    expect(answer.status < 400 and answer.body, answer.said)


@probe("8555-7.1.1-website", "RFC 8555 §7.1.1", MUST)
def website(server: Server) -> None:
    """The web site in meta, where there is one, is named by an HTTP URL."""
    if "website" not in server.meta:
        skip("the server names no web site")
    expect(urlsplit(text(server.meta, "website")).scheme in {"http", "https"}, "website is no HTTP URL")


@probe("8555-7.1.1-caa-identities", "RFC 8555 §7.1.1", MUST)
def identities(server: Server) -> None:
    """The CAA identities in meta, where there are any, are a list of host names in ASCII."""
    if "caaIdentities" not in server.meta:
        skip("the server names no CAA identities")
    found = server.meta["caaIdentities"]
    expect(isinstance(found, list), "caaIdentities is no list")
    expect(all(isinstance(each, str) and _HOST.match(each) for each in found), "caaIdentities has what is no host name")


@probe("8555-7.1.1-eab-flag", "RFC 8555 §7.1.1", MUST)
def eab_flag(server: Server) -> None:
    """`externalAccountRequired` in meta, where there is one, is true or false."""
    if "externalAccountRequired" not in server.meta:
        skip("the server does not say externalAccountRequired")
    expect(isinstance(server.meta["externalAccountRequired"], bool), "externalAccountRequired is no boolean")


@probe("8555-6.3-directory-read", "RFC 8555 §6.3", MUST)
def read_by_post(server: Server) -> None:
    """The directory can be read by POST-as-GET as well."""
    answer = server.post(server.directory_url)
    expect(answer.status == 200, answer.said)
    expect("newOrder" in answer.document(), "another document")


@probe("8555-6.3-new-nonce-read", "RFC 8555 §6.3", MUST)
def nonce_by_post(server: Server) -> None:
    """A nonce can be asked for by POST-as-GET as well."""
    answer = server.post(server.url("newNonce"))
    expect(answer.status in {200, 204} and answer.header("Replay-Nonce"), answer.said)
