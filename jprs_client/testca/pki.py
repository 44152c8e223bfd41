"""The PKI side over plain HTTP, at the addresses that certificates carry: issuers and CRL."""

from __future__ import annotations

from email.utils import format_datetime

from jprs_client.testca.asgi import App, Request, Response, json_response
from jprs_client.testca.ca import Authority


class PkiFront:
    """Where relying parties look."""

    def __init__(self, authority: Authority) -> None:
        self._ca = authority
        self.app = App(self.handle, lambda status, detail: json_response(status, {"error": detail}))

    async def handle(self, request: Request) -> Response:
        """An issuer's certificate or the CRL, as of now."""
        if request.method not in {"GET", "HEAD"}:
            return json_response(405, {"error": "only GET"})
        now = self._ca.now()
        match request.path:
            case "/issuers/0.cer":
                response = Response(200, self._ca.pki.issuer.der, "application/pkix-cert")
            case "/roots/0.cer":
                response = Response(200, self._ca.pki.roots[0].der, "application/pkix-cert")
            case "/crl/0.crl":
                crl = self._ca.pki.crl(self._ca.book.certificates.values(), now)
                response = Response(200, crl, "application/pkix-crl")
            case _:
                response = json_response(404, {"error": "nothing is here"})
        response.set("Date", format_datetime(now, usegmt=True))
        response.set("Cache-Control", "no-store")
        return response
