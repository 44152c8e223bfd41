"""DER, as little of it as precertificates and OCSP need: writing tag, length, value, and reading them back strictly."""

from __future__ import annotations

from datetime import UTC, datetime

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
ENUMERATED, GENERALIZED_TIME, SEQUENCE = 0x0A, 0x18, 0x30

#: Octets of content that a length may announce; far more than anything here has.
_MOST = 1 << 24


class DerError(ValueError):
    """Octets that are no DER, or not what they should be."""


def context(number: int, constructed: bool = True) -> int:
    """The tag [number]."""
    return 0x80 | (0x20 if constructed else 0) | number


def tlv(tag: int, *parts: bytes) -> bytes:
    """`parts` under one tag."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE."""
    return tlv(SEQUENCE, *parts)


def octet_string(content: bytes) -> bytes:
    """OCTET STRING."""
    return tlv(OCTET_STRING, content)


def bit_string(content: bytes) -> bytes:
    """BIT STRING of whole octets."""
    return tlv(BIT_STRING, b"\0", content)


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    content = bytearray()
    for arc in (first * 40 + second, *rest):
        octets = [arc & 0x7F]
        while arc := arc >> 7:
            octets.append(0x80 | arc & 0x7F)
        content += bytes(reversed(octets))
    return tlv(OID, bytes(content))


def generalized_time(moment: datetime) -> bytes:
    """GeneralizedTime of a whole second, in UTC (RFC 5280 §4.1.2.5.2)."""
    return tlv(GENERALIZED_TIME, moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode("ascii"))


class Reader:
    """Elements one after the other. Every method raises DerError where something else stands there."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    @property
    def more(self) -> bool:
        """Whether something is left."""
        return self._at < len(self._octets)

    def next_is(self, tag: int) -> bool:
        """Whether the next element has that tag."""
        return self.more and self._octets[self._at] == tag

    def element(self, tag: int | None = None) -> bytes:
        """The next element, whole."""
        start, (_, end) = self._at, self._span(tag)
        self._at = end
        return self._octets[start:end]

    def content(self, tag: int) -> bytes:
        """What is in the next element."""
        begin, end = self._span(tag)
        self._at = end
        return self._octets[begin:end]

    def inside(self, tag: int) -> Reader:
        """A reader of the next element's content."""
        return Reader(self.content(tag))

    def integer(self) -> int:
        """INTEGER, in its shortest form."""
        content = self.content(INTEGER)
        if not content or (len(content) > 1 and (content[0], content[1] >> 7) in {(0, 0), (0xFF, 1)}):
            raise DerError("an integer is not in its shortest form")
        return int.from_bytes(content, "big", signed=True)

    def end(self) -> None:
        """Nothing is left."""
        if self.more:
            raise DerError("something follows that is not expected")

    def _span(self, tag: int | None) -> tuple[int, int]:
        octets, at = self._octets, self._at
        if at + 2 > len(octets) or (tag is not None and octets[at] != tag):
            raise DerError("an element is missing")
        size, begin = octets[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            size, begin = int.from_bytes(octets[begin : begin + count], "big"), begin + count
            shortest = max(1, (size.bit_length() + 7) // 8)
            if size < 0x80 or size > _MOST or count != shortest:
                raise DerError("a length is not in its shortest form")
        if begin + size > len(octets):
            raise DerError("an element is cut off")
        return begin, begin + size
