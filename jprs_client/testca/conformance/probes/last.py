"""What some servers do not survive: Pebble 2.4 locks up for good. So this is asked when everything else was."""

from __future__ import annotations

from jprs_client.testca.conformance.registry import MUST, expect, probe
from jprs_client.testca.conformance.server import Server


@probe("8555-7.5.2-final", "RFC 8555 §7.1.6", MUST)
def deactivated_for_good(server: Server) -> None:
    """A deactivated authorization is not proved any more."""
    order = server.order()
    challenge = server.challenge(order, "http-01")
    url = order.authorizations[0]
    expect(server.post(url, {"status": "deactivated"}).status == 200, "it is not deactivated")
    server.put_up(challenge, order.account)
    answer = server.respond(challenge, order.account)
    expect(answer.status < 500, answer.said)
    if answer.status < 400:
        server.pause(0.5)  # it may be looked at all the same
    expect(server.authorization(url).get("status") == "deactivated", "it came back")
