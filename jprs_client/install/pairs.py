"""Whether a server could load the certificates and keys that it reads together, before it is told to try.

Some servers' own check does not find it: Apache says "Syntax OK" of a key that is not the certificate's, and ends at
the reload.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jprs_client.errors import InstallFailed, harmless
from jprs_client.install.files_changed import read_regular
from jprs_client.plugin import Pair

__all__ = ["Judged", "judged", "real_path"]

#: A certificate as servers find one in a file, whatever stands before it.
_CERTIFICATE = re.compile(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----")

#: The first key's kind.
_KEY = re.compile(rb"-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----")

#: Kinds that OpenSSL reads by itself; others, as TSS2's, need a module that only the server has.
_PLAIN_KEYS = frozenset({b"", b"RSA ", b"EC ", b"DSA ", b"ENCRYPTED "})


#: OpenSSL's reasons; the last one is said of a key of another kind than the certificate's.
_MISMATCHES = frozenset({"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"})


@dataclass(frozen=True, slots=True)
class Judged:
    """Of several pairs the first that cannot be loaded, if any; and those that only the server itself can judge."""

    trouble: _Trouble | None
    unknown: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class _Trouble:
    """`file` is the one that cannot be read, as `detail` says; None when certificate and key do not match."""

    pair: Pair
    file: Path | None = None
    detail: str | None = None

    def failure(self, target: str, lineage: str, **params: str) -> InstallFailed:
        """As the error that a person hears."""
        return InstallFailed(
            "server-pair-mismatch" if self.file is None else "server-pair-unreadable",
            target=target,
            lineage=lineage,
            certificate=self.pair.certificate,
            key=self.pair.key,
            place=self.pair.place or None,
            file=self.file,
            detail=self.detail,
            **params,
        )


class _Locked(Exception):
    """A passphrase locks the key; the server has it, we have not."""


def judged(pairs: Iterable[Pair]) -> Judged:
    """Look at `pairs` as OpenSSL, and so the server, will: of each file the first certificate, the first key."""
    unknown = []
    for pair in dict.fromkeys(pairs):
        try:
            trouble = _trouble(pair)
        except _Locked:
            unknown.append(pair)
            continue
        if trouble is not None:
            return Judged(trouble, tuple(unknown))
    return Judged(None, tuple(unknown))


def real_path(path: Path) -> Path:
    """Where `path` leads, also when nothing is there yet."""
    return Path(os.path.realpath(path))


def _trouble(pair: Pair) -> _Trouble | None:
    for path, block in ((pair.certificate, _CERTIFICATE), (pair.key, _KEY)):
        try:
            content, _ = read_regular(real_path(path))
        except OSError as error:
            return _Trouble(pair, path, harmless(error.strerror or error))
        found = block.search(content)
        if found is None:
            return _Trouble(pair, path, f"no {'certificate' if block is _CERTIFICATE else 'private key'} in PEM")
        if block is _KEY and found[1] not in _PLAIN_KEYS:
            raise _Locked
    return _openssls(pair)


def _openssls(pair: Pair) -> _Trouble | None:
    """OpenSSL's own word: what it loads here, it loads there; `cryptography` refuses some old ones that it takes."""
    import ssl

    def passphrase() -> str:
        raise _Locked

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")  # how strong it has to be is the server's business
    try:
        context.load_cert_chain(pair.certificate, pair.key, passphrase)
    except ssl.SSLError as error:
        reason = (error.reason or "").upper().replace(" ", "_")
        if reason in _MISMATCHES:
            return _Trouble(pair)
        return _Trouble(pair, _culprit(pair), harmless(reason.replace("_", " ").lower() or error))
    except OSError as error:
        return _Trouble(pair, pair.certificate, harmless(error.strerror or error))
    return None


def _culprit(pair: Pair) -> Path:
    """OpenSSL does not say which of the two it could not read."""
    from cryptography import x509

    content, _ = read_regular(real_path(pair.certificate))
    begin = _CERTIFICATE.search(content)
    try:
        x509.load_pem_x509_certificate(content[begin.start() :] if begin else b"")
    except ValueError:
        return pair.certificate
    return pair.key
