"""Certificate transparency: a log with its Merkle tree, and signed certificate timestamps (RFC 6962, version 1).

Pure: whoever asks says what time it is. Nothing is waited for: what is submitted is in the tree at once.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from jprs_client.testca import der

X509_ENTRY, PRECERT_ENTRY = 0, 1
POISON_OID = der.oid("1.3.6.1.4.1.11129.2.4.3")
SCT_LIST_OID = der.oid("1.3.6.1.4.1.11129.2.4.2")
#: RFC 6962 §3.1: critical, and its value is NULL.
POISON = der.sequence(POISON_OID, der.tlv(der.BOOLEAN, b"\xff"), der.octet_string(der.tlv(der.NULL)))

_EXTENSIONS = der.context(3)
_HASH = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CtError(ValueError):
    """What a log cannot answer, or does not take; the text says why."""


# the tree


def leaf_hash(leaf: bytes) -> bytes:
    """RFC 6962 §2.1: the hash of one entry."""
    return hashlib.sha256(b"\0" + leaf).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1


class MerkleTree:
    """RFC 6962 §2: grows at its end. It keeps the hash of every complete subtree, 64 octets for an entry."""

    def __init__(self) -> None:
        self._levels = [bytearray()]

    def __len__(self) -> int:
        return len(self._levels[0]) // _HASH

    def append(self, leaf: bytes) -> int:
        """Take in the hash of a leaf; its index."""
        index = position = len(self)
        self._levels[0] += leaf
        level, found = 0, leaf
        while position & 1:
            found = _node(bytes(self._levels[level][-2 * _HASH : -_HASH]), found)
            level, position = level + 1, position >> 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += found
        return index

    def index_of(self, leaf: bytes) -> int | None:
        """Where the leaf of that hash is; None: nowhere."""
        at = self._levels[0].find(leaf)
        while at >= 0 and at % _HASH:
            at = self._levels[0].find(leaf, at + 1)
        return at // _HASH if at >= 0 else None

    def root(self, size: int) -> bytes:
        """The hash of the tree as it was with `size` entries. Raises CtError where it was never so large."""
        self._check(size)
        return self._hash(0, size) if size else hashlib.sha256().digest()

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """PATH(index, D[size]) of RFC 6962 §2.1.1. Raises CtError."""
        self._check(size)
        if not 0 <= index < size:
            raise CtError(f"there is no entry {index} in a tree of {size}")
        path = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._hash(middle, end))
                end = middle
            else:
                path.append(self._hash(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, first: int, second: int) -> list[bytes]:
        """PROOF(first, D[second]) of RFC 6962 §2.1.2. Raises CtError."""
        self._check(second)
        if not 0 < first <= second:
            raise CtError(f"first is from 1 to {second}")
        path = []
        start, end, whole = 0, second, True
        while first != end:
            middle = start + _split(end - start)
            if first <= middle:
                path.append(self._hash(middle, end))
                end = middle
            else:
                path.append(self._hash(start, middle))
                start, whole = middle, False
        if not whole:
            path.append(self._hash(start, end))
        return path[::-1]

    def _check(self, size: int) -> None:
        if not 0 <= size <= len(self):
            raise CtError(f"the tree has {len(self)} entries")

    def _hash(self, start: int, end: int) -> bytes:
        size = end - start
        if size & (size - 1):
            middle = start + _split(size)
            return _node(self._hash(start, middle), self._hash(middle, end))
        level = size.bit_length() - 1
        at = (start >> level) * _HASH
        return bytes(self._levels[level][at : at + _HASH])


# what is logged


def vector(width: int, *parts: bytes) -> bytes:
    """A vector of TLS whose length is written in `width` octets."""
    content = b"".join(parts)
    return len(content).to_bytes(width, "big") + content


def _parts_of(tbs: bytes) -> tuple[bytes, list[bytes]]:
    """What stands before a TBSCertificate's extensions, and each of them."""
    reader = der.Reader(tbs).inside(der.SEQUENCE)
    head, extensions = [], []
    while reader.more:
        if reader.next_is(_EXTENSIONS):
            listed = reader.inside(_EXTENSIONS).inside(der.SEQUENCE)
            while listed.more:
                extensions.append(listed.element(der.SEQUENCE))
        else:
            head.append(reader.element())
    return b"".join(head), extensions


def _is(extension: bytes, *oids: bytes) -> bool:
    return der.Reader(extension).inside(der.SEQUENCE).element(der.OID) in oids


def _tbs(head: bytes, extensions: Iterable[bytes]) -> bytes:
    return der.sequence(head, der.tlv(_EXTENSIONS, der.sequence(*extensions)))


def logged_tbs(tbs: bytes) -> bytes:
    """RFC 6962 §3.2: the TBSCertificate without poison and without SCTs; both certificates have it in common."""
    head, extensions = _parts_of(tbs)
    return _tbs(head, [each for each in extensions if not _is(each, POISON_OID, SCT_LIST_OID)])


def with_scts(tbs: bytes, scts: Sequence[bytes]) -> bytes:
    """The TBSCertificate with the list of SCTs in place of the poison (RFC 6962 §3.3)."""
    listed = vector(2, *(vector(2, sct) for sct in scts))
    extension = der.sequence(SCT_LIST_OID, der.octet_string(der.octet_string(listed)))
    head, extensions = _parts_of(tbs)
    return _tbs(head, [extension if _is(each, POISON_OID) else each for each in extensions])


def _with_poison(tbs: bytes) -> bytes:
    head, extensions = _parts_of(tbs)
    return _tbs(head, [POISON if _is(each, SCT_LIST_OID) else each for each in extensions])


def _certificate_parts(certificate: bytes) -> tuple[bytes, bytes, bytes]:
    reader = der.Reader(certificate).inside(der.SEQUENCE)
    return reader.element(der.SEQUENCE), reader.element(der.SEQUENCE), reader.content(der.BIT_STRING)[1:]


class Issuer(Protocol):
    """Who signed: the hash of its key, and the chain from its own certificate to the root, DER."""

    @property
    def key_hash(self) -> bytes:
        """SHA-256 of the SubjectPublicKeyInfo."""

    @property
    def chain_der(self) -> Sequence[bytes]:
        """The certificates."""


class Entry(Protocol):
    """What a log keeps."""

    @property
    def kind(self) -> int:
        """X509_ENTRY or PRECERT_ENTRY."""

    def signed_entry(self) -> bytes:
        """What is signed and hashed of it (RFC 6962 §3.2)."""

    def extra_data(self) -> bytes:
        """What get-entries gives beside it (RFC 6962 §4.6)."""


@dataclass(slots=True)
class Issued:
    """A precertificate of this CA, kept as its certificate (the order book's own octets) and its signature alone."""

    certificate: bytes
    signature: bytes
    issuer: Issuer

    @property
    def kind(self) -> int:
        """A precertificate."""
        return PRECERT_ENTRY

    def signed_entry(self) -> bytes:
        """As RFC 6962 §3.2 has it."""
        return precert_entry(self.issuer.key_hash, _certificate_parts(self.certificate)[0])

    def extra_data(self) -> bytes:
        """PrecertChainEntry of RFC 6962 §3.1."""
        return vector(3, self.precertificate()) + _chain(self.issuer.chain_der)

    def precertificate(self) -> bytes:
        """DER."""
        tbs, algorithm, _ = _certificate_parts(self.certificate)
        return der.sequence(_with_poison(tbs), algorithm, der.bit_string(self.signature))


@dataclass(frozen=True, slots=True)
class Submitted:
    """What somebody brought: a certificate or precertificate, and the chain to the root. `key_hash`: its issuer's."""

    kind: int
    certificate: bytes
    chain: tuple[bytes, ...]
    key_hash: bytes

    def signed_entry(self) -> bytes:
        """As RFC 6962 §3.2 has it."""
        if self.kind == X509_ENTRY:
            return vector(3, self.certificate)
        return precert_entry(self.key_hash, _certificate_parts(self.certificate)[0])

    def extra_data(self) -> bytes:
        """The chain, and the precertificate itself."""
        before = vector(3, self.certificate) if self.kind == PRECERT_ENTRY else b""
        return before + _chain(self.chain)


def precert_entry(key_hash: bytes, tbs: bytes) -> bytes:
    """PreCert of RFC 6962 §3.2."""
    return key_hash + vector(3, logged_tbs(tbs))


def _chain(chain: Iterable[bytes]) -> bytes:
    return vector(3, *(vector(3, each) for each in chain))


# the log


@dataclass(frozen=True, slots=True)
class Sct:
    """A signed certificate timestamp; `timestamp` in milliseconds since 1970, `signature` a DigitallySigned."""

    log_id: bytes
    timestamp: int
    signature: bytes

    @property
    def octets(self) -> bytes:
        """As it is embedded (RFC 6962 §3.2)."""
        return b"\0" + self.log_id + self.timestamp.to_bytes(8, "big") + vector(2) + self.signature


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A signed tree head (RFC 6962 §3.5)."""

    size: int
    timestamp: int
    root: bytes
    signature: bytes


def milliseconds(moment: datetime) -> int:
    """Since 1970."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


class Log:
    """One log. It takes what it is given: whoever submits has checked the chain."""

    def __init__(self, description: str) -> None:
        self.description = description
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.key_der = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.log_id = hashlib.sha256(self.key_der).digest()
        self.tree = MerkleTree()
        self._entries: list[Entry] = []
        self._timestamps = array("Q")
        self._known: dict[bytes, int] = {}
        self._latest = 0

    def add(self, entry: Entry, now: datetime, signed_entry: bytes | None = None) -> Sct:
        """Take `entry` in, and promise so. Something seen before keeps its place and its timestamp (RFC 6962 §3).

        `signed_entry` is the entry's own, for who has it at hand.
        """
        signed = entry.signed_entry() if signed_entry is None else signed_entry
        kind = entry.kind.to_bytes(2, "big")
        digest = hashlib.sha256(kind + signed).digest()
        index = self._known.get(digest)
        timestamp = milliseconds(now) if index is None else self._timestamps[index]
        # RFC 6962 §3.2 and §3.4: what is signed and what is hashed differ in nothing but their meaning.
        said = b"\0\0" + timestamp.to_bytes(8, "big") + kind + signed + vector(2)
        if index is None:
            self._known[digest] = self.tree.append(leaf_hash(said))
            self._entries.append(entry)
            self._timestamps.append(timestamp)
            self._latest = max(self._latest, timestamp)
        return Sct(self.log_id, timestamp, self._signature(said))

    def leaf_input(self, index: int) -> bytes:
        """The MerkleTreeLeaf (RFC 6962 §3.4)."""
        entry = self._entries[index]
        timestamp = self._timestamps[index].to_bytes(8, "big")
        return b"\0\0" + timestamp + entry.kind.to_bytes(2, "big") + entry.signed_entry() + vector(2)

    def extra_data(self, index: int) -> bytes:
        """What is kept beside that leaf."""
        return self._entries[index].extra_data()

    def tree_head(self, now: datetime) -> TreeHead:
        """As of `now`; never older than the newest promise, even where the clock was set back (RFC 6962 §3.5)."""
        size, timestamp = len(self.tree), max(milliseconds(now), self._latest)
        root = self.tree.root(size)
        said = b"\0\1" + timestamp.to_bytes(8, "big") + size.to_bytes(8, "big") + root
        return TreeHead(size, timestamp, root, self._signature(said))

    def _signature(self, said: bytes) -> bytes:
        """DigitallySigned: SHA-256 (4) with ECDSA (3)."""
        return b"\4\3" + vector(2, self._key.sign(said, ec.ECDSA(hashes.SHA256())))
