"""How an answer is changed before it goes out, by the members of a fault's action."""

from __future__ import annotations

import contextlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from jprs_client.testca.asgi import Response, Wire
from jprs_client.testca.hostile import expanded, moved
from jprs_client.testca.problems import URN

Members = Mapping[str, Any]

_FILLING = b" " * (1024 * 1024)
#: What a header may be where a library that keeps the rules sends it.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE = re.compile(r"([\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?\Z")
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer refers to: the CA's moment, its own address, what was asked for, and with which nonce."""

    now: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    base: str = "https://localhost"
    url: str = "https://localhost/"
    nonce: str = ""


def problem(members: Members) -> Response:
    """The refusal that `members` describe."""
    status = members.get("status", 400)
    if "body" in members:
        return Response(status, _octets(expanded(members["body"])), members.get("content_type", "text/plain"))
    document: dict[str, Any] = {}
    kind = members.get("type", "serverInternal")
    if kind is not None:
        document["type"] = kind if ":" in kind else URN + kind
    document["detail"] = expanded(members.get("detail", "a fault that was asked for"))
    document["status"] = status
    if "instance" in members:
        document["instance"] = expanded(members["instance"])
    if "subproblems" in members:
        document["subproblems"] = [
            {"type": URN + why, "detail": f"{name}: {why}", "identifier": {"type": "dns", "value": name}}
            for name, why in members["subproblems"].items()
        ]
    return Response(status, json.dumps(document).encode(), members.get("content_type", "application/problem+json"))


def redirection(members: Members, asked: Asked) -> Response:
    """An answer that sends elsewhere."""
    where = moved(asked.url, members["redirect"])
    return Response(members.get("status", 307), b"", headers=[("Location", where)])


def changed(members: Members, response: Response, asked: Asked) -> Response:
    """`response` as it goes out."""
    _change_whole(members, response, asked)
    if response.content_type.endswith("json") and response.body:
        _change_document(members, response)
    _change_octets(members, response)
    _change_headers(members, response, asked)
    _change_wire(members, response)
    return response


def _change_whole(members: Members, response: Response, asked: Asked) -> None:
    if members.get("after") and "redirect" in members:
        response.set("Location", moved(asked.url, members["redirect"]))
        response.status, response.body = members.get("status", 307), b""
    elif members.get("after") and "status" in members:
        instead = problem(members)
        response.status, response.body, response.content_type = instead.status, instead.body, instead.content_type
    elif "body" in members:
        response.body = _octets(expanded(members["body"]))
        response.content_type = members.get("content_type", response.content_type)
    elif "content_type" in members:
        response.content_type = members["content_type"]


# the document


def _change_document(members: Members, response: Response) -> None:
    if not any(member in members for member in _DOCUMENT):
        return
    try:
        document = json.loads(response.body)
    except ValueError:  # the fault's own body
        return
    for member, change in _DOCUMENT.items():
        if member in members:
            document = change(document, expanded(members[member]))
    response.body = json.dumps(document).encode()


def merged(document: object, patch: object) -> object:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def _places(document: object, path: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Every object that `path` (`challenges.token`) leads to, through lists, and the member meant there."""
    *way, last = path.split(".")
    found = [document]
    for step in way:
        found = [each[step] for each in _flat(found) if isinstance(each, dict) and step in each]
    for each in _flat(found):
        if isinstance(each, dict):
            yield each, last


def _flat(values: list[object]) -> list[object]:
    flat: list[object] = []
    for value in values:
        flat.extend(_flat(value) if isinstance(value, list) else [value])
    return flat


def _set(document: object, values: Mapping[str, Any]) -> object:
    for path, value in values.items():
        for place, member in _places(document, path):
            if value is None:
                place.pop(member, None)
            else:
                place[member] = value
    return document


def _token(document: object, token: object) -> object:
    for path in ("token", "challenges.token"):
        for place, member in _places(document, path):
            if member in place:
                place[member] = token
    return document


def _add(document: object, values: Mapping[str, Any]) -> object:
    for path, value in values.items():
        for place, member in _places(document, path):
            if isinstance(place.get(member), list):
                place[member] = [value, *place[member]]
    return document


def _reverse(document: object, paths: list[str]) -> object:
    for path in paths:
        for place, member in _places(document, path):
            if isinstance(place.get(member), list):
                place[member] = place[member][::-1]
    return document


def _upper(document: object, paths: list[str]) -> object:
    for path in paths:
        for place, member in _places(document, path):
            if isinstance(place.get(member), str):
                place[member] = place[member].upper()
    return document


def _move(document: object, places: Mapping[str, str]) -> object:
    for path, where in places.items():
        if path == "*":
            document = _moved_all(document, where)
            continue
        for place, member in _places(document, path):
            if member in place:
                place[member] = _moved_all(place[member], where)
    return document


def _moved_all(value: Any, where: str) -> Any:
    if isinstance(value, dict):
        return {member: _moved_all(content, where) for member, content in value.items()}
    if isinstance(value, list):
        return [_moved_all(each, where) for each in value]
    return moved(value, where) if isinstance(value, str) and value.startswith(("https:", "http:")) else value


_DOCUMENT: Mapping[str, Callable[[Any, Any], object]] = {
    "merge": merged,
    "set": _set,
    "token": _token,
    "add": _add,
    "reverse": _reverse,
    "upper": _upper,
    "move": _move,
}


# the octets


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _wrong_type(value: object) -> object:
    """A value of another type than `value`."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return {"0": value}
    if isinstance(value, dict):
        return json.dumps(value)
    return None


def _each_twice(document: Any) -> bytes:
    if not isinstance(document, dict):
        return json.dumps(document).encode()
    members = [f"{json.dumps(key)}: {text}" for key, value in document.items() for text in ("null", json.dumps(value))]
    return ("{" + ", ".join(members) + "}").encode()


def _with_member(body: bytes, member: bytes) -> bytes:
    """The JSON object `body` with one more member, first."""
    return body.replace(b"{", b"{" + member + (b"" if body.strip() == b"{}" else b", "), 1)


_WRITTEN: Mapping[str, Callable[[bytes], bytes]] = {
    "truncated": lambda body: body[: len(body) // 2],
    "empty": lambda _: b"",
    "null": lambda _: b"null",
    "number": lambda _: b"42",
    "text": lambda _: b'"ok"',
    "array": lambda body: b"[" + body + b"]",
    "twice": lambda body: body + body,
    "trailing-comma": lambda body: body.rstrip()[:-1] + b",}",
    "comment": lambda body: b"/* hello */ " + body,
    "single-quotes": lambda body: body.replace(b'"', b"'"),
    "bom": lambda body: b"\xef\xbb\xbf" + body,
    "utf-16": lambda body: body.decode().encode("utf-16"),
    "latin-1": lambda body: _with_member(body, b'"note": "caf\xe9"'),
    "control": lambda body: _with_member(body, b'"note": "a\nb\x01"'),
    "nan": lambda body: _with_member(body, b'"a": NaN, "b": Infinity, "c": -Infinity'),
    "numbers": lambda body: _with_member(body, b'"a": 1e999, "b": -0, "c": ' + b"9" * 5000),
    "duplicate-keys": lambda body: _each_twice(json.loads(body)),
    "wrong-types": lambda body: json.dumps(
        {key: _wrong_type(value) for key, value in json.loads(body).items()} if body[:1] == b"{" else None
    ).encode(),
}
#: How JSON can be miswritten.
JSON_KINDS = frozenset(_WRITTEN)


def _change_octets(members: Members, response: Response) -> None:
    is_json = response.content_type.endswith("json") and bool(response.body)
    if is_json and "json" in members:
        with contextlib.suppress(ValueError):  # no JSON to begin with
            response.body = _WRITTEN[members["json"]](response.body)
    if is_json and "deep" in members:
        depth = members["deep"]
        response.body = _with_member(response.body, b'"deep": ' + b"[" * depth + b"]" * depth)
    if is_json and "long" in members:
        response.body = _with_member(response.body, b'"long": "' + b"A" * members["long"] + b'"')
    if "size" in members:
        filling = b" " if is_json else b"\n"
        response.body += filling * (members["size"] - len(response.body))
    if "gzip" in members:
        response.body = _gzip(response.body, members["gzip"])
        response.set("Content-Encoding", "gzip")


def _gzip(body: bytes, size: int) -> bytes:
    """`body`, packed; unpacked it has `size` octets at least, the rest of them spaces."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = bytearray(packer.compress(body))
    left = size - len(body)
    while left > 0:
        packed += packer.compress(_FILLING[:left])
        left -= len(_FILLING)
    return bytes(packed + packer.flush())


# headers


def _change_headers(members: Members, response: Response, asked: Asked) -> None:
    if "retry_after" in members:
        value = members["retry_after"]
        _put(response, "Retry-After", [_retry(each, asked) for each in (value if isinstance(value, list) else [value])])
    nonce = members.get("nonce", "")
    if nonce in _NONCES:
        response.set("Replay-Nonce", _NONCES[nonce](asked))
    for name, where in members.get("move", {}).items():
        if name in {"Location", "Link"}:
            _move_header(response, name, where)
    for name, value in expanded(members.get("headers", {})).items():
        _put(response, name, value if isinstance(value, list) else [value])
    padding = members.get("padding", {})
    for number in range(padding.get("headers", 0)):
        response.headers.append((f"X-Padding-{number}", "a" * padding.get("octets", 8)))


def _put(response: Response, name: str, values: list[Any]) -> None:
    response.set(name, None)
    response.headers.extend((name, str(value)) for value in values if value is not None)


def _retry(value: Any, asked: Asked) -> Any:
    if isinstance(value, dict):
        return format_datetime(asked.now + timedelta(seconds=value["date"]), usegmt=True)
    return value


def _move_header(response: Response, name: str, where: str) -> None:
    def new(value: str) -> str:
        if name == "Location":
            return moved(value, where)
        return re.sub(r"<([^>]*)>", lambda found: f"<{moved(found[1], where)}>", value)

    response.headers = [(key, new(value) if key.lower() == name.lower() else value) for key, value in response.headers]


#: What Replay-Nonce says instead; `bad` is for the request's own and not among them.
_NONCES: Mapping[str, Callable[[Asked], str | None]] = {
    "none": lambda _: None,
    "malformed": lambda _: "not a nonce!",
    "padded": lambda _: "AAAAAAAAAAAAAAAAAAAAAA==",
    "empty": lambda _: "",
    "long": lambda _: "A" * 10_000,
    "used": lambda asked: asked.nonce,
    "unknown": lambda _: "bm90LWdpdmVuLW91dC1oZXJl",
}
NONCE_KINDS = frozenset({"bad", *_NONCES})


# the wire


def _change_wire(members: Members, response: Response) -> None:
    if "cut" in members:
        length = members["cut"]
        response.cut = length if length >= 0 else len(response.body) // 2
    response.lost = response.lost or members.get("drop") == "after"
    drip = members.get("drip", {})
    by_hand = {"length", "drip", "endless", "ending"} & set(members)
    if by_hand or response.status < 200 or not all(_orderly(*header) for header in response.headers):
        response.wire = Wire(
            members.get("length"),
            drip.get("octets", 0),
            drip.get("every", 0.0),
            members.get("endless", False),
            members.get("ending", "tls"),
        )


def _orderly(name: str, value: str) -> bool:
    return bool(_NAME.match(name) and _VALUE.match(value)) and name.lower() not in _FRAMING
