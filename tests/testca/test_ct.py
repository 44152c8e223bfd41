"""The Merkle tree against RFC 6962's own definitions, written once more; SCTs against their structures."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from jprs_client.testca.ct import CtError, Log, MerkleTree, leaf_hash

NOW = datetime(2026, 11, 22, 3, 0, 0, 123000, tzinfo=UTC)


def mth(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 §2.1, as it is written."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """RFC 9162 §2.1.3.2: what the proof makes of a leaf."""
    fn, sn, r = index, size - 1, leaf
    for p in path:
        assert sn, "the proof is too long"
        if fn & 1 or fn == sn:
            r = node(p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0, "the proof is too short"
    return r


def roots_by_consistency(first: int, second: int, path: Sequence[bytes], first_root: bytes) -> tuple[bytes, bytes]:
    """RFC 9162 §2.1.4.2: the roots that the proof makes of the older one."""
    steps = [first_root, *path] if first & (first - 1) == 0 else list(path)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = steps[0]
    for c in steps[1:]:
        assert sn, "the proof is too long"
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0, "the proof is too short"
    return fr, sr


def grown(leaves: Sequence[bytes]) -> MerkleTree:
    tree = MerkleTree()
    for index, leaf in enumerate(leaves):
        assert tree.append(leaf_hash(leaf)) == index
    return tree


SIZES = st.integers(1, 300)


@given(SIZES, st.data())
def test_the_root_is_the_merkle_tree_hash_at_every_size_it_had(size: int, data: st.DataObject) -> None:
    leaves = [number.to_bytes(2, "big") for number in range(size)]
    tree = grown(leaves)
    assert len(tree) == size
    earlier = data.draw(st.integers(0, size))
    assert tree.root(earlier) == mth(leaves[:earlier])


@given(SIZES, st.data())
def test_an_inclusion_proof_leads_to_the_root(total: int, data: st.DataObject) -> None:
    leaves = [number.to_bytes(2, "big") for number in range(total)]
    tree = grown(leaves)
    size = data.draw(st.integers(1, total))
    index = data.draw(st.integers(0, size - 1))
    leaf = leaf_hash(leaves[index])
    assert tree.index_of(leaf) == index
    assert root_by_inclusion(leaf, index, size, tree.inclusion(index, size)) == mth(leaves[:size])


@given(SIZES, st.data())
def test_a_consistency_proof_leads_from_the_older_root_to_the_newer(total: int, data: st.DataObject) -> None:
    leaves = [number.to_bytes(2, "big") for number in range(total)]
    tree = grown(leaves)
    second = data.draw(st.integers(1, total))
    first = data.draw(st.integers(1, second))
    path = tree.consistency(first, second)
    if first == second:
        assert path == []
        return
    roots = roots_by_consistency(first, second, path, mth(leaves[:first]))
    assert roots == (mth(leaves[:first]), mth(leaves[:second]))


def test_what_the_tree_does_not_have_is_refused() -> None:
    tree = grown([b"a", b"b", b"c"])
    assert tree.index_of(leaf_hash(b"z")) is None
    for wrong in (
        lambda: tree.root(4),
        lambda: tree.root(-1),
        lambda: tree.inclusion(3, 3),
        lambda: tree.inclusion(-1, 3),
        lambda: tree.inclusion(0, 4),
        lambda: tree.consistency(0, 3),
        lambda: tree.consistency(3, 2),
        lambda: tree.consistency(1, 4),
    ):
        with pytest.raises(CtError):
            wrong()


@dataclass(frozen=True)
class Plain:
    """An entry of some octets."""

    octets: bytes
    kind: int = 0

    def signed_entry(self) -> bytes:
        return len(self.octets).to_bytes(3, "big") + self.octets

    def extra_data(self) -> bytes:
        return b"\0\0\0"


def verify(log: Log, digitally_signed: bytes, said: bytes) -> None:
    """RFC 5246 §4.7; raises InvalidSignature."""
    assert digitally_signed[:2] == b"\x04\x03"
    (length,) = struct.unpack(">H", digitally_signed[2:4])
    signature = digitally_signed[4:]
    assert length == len(signature)
    key = serialization.load_der_public_key(log.key_der)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(signature, said, ec.ECDSA(hashes.SHA256()))


def test_a_log_signs_its_promise_and_its_tree_head() -> None:
    log = Log("a log")
    assert log.log_id == hashlib.sha256(log.key_der).digest()
    sct = log.add(Plain(b"hello"), NOW)
    assert sct.timestamp == 1795316400123
    entry = struct.pack(">BBQH", 0, 0, sct.timestamp, 0) + b"\0\0\5hello" + b"\0\0"
    verify(log, sct.signature, entry)
    assert log.leaf_input(0) == entry
    assert sct.octets == b"\0" + log.log_id + struct.pack(">QH", sct.timestamp, 0) + sct.signature

    head = log.tree_head(NOW + timedelta(hours=1))
    assert (head.size, head.root) == (1, mth([entry]))
    verify(log, head.signature, struct.pack(">BBQQ", 0, 1, head.timestamp, head.size) + head.root)


def test_what_was_seen_before_keeps_its_place_and_its_timestamp() -> None:
    log = Log("a log")
    first = log.add(Plain(b"hello"), NOW)
    again = log.add(Plain(b"hello"), NOW + timedelta(days=1))
    other = log.add(Plain(b"hello", kind=1), NOW + timedelta(days=1))
    assert again.timestamp == first.timestamp
    assert other.timestamp == first.timestamp + 86_400_000
    assert len(log.tree) == 2


def test_a_tree_head_is_never_older_than_the_newest_promise() -> None:
    """RFC 6962 §3.5, although this clock can be set back."""
    log = Log("a log")
    sct = log.add(Plain(b"hello"), NOW)
    assert log.tree_head(NOW - timedelta(days=9)).timestamp == sct.timestamp
    assert log.tree_head(NOW + timedelta(days=9)).timestamp == sct.timestamp + 9 * 86_400_000
