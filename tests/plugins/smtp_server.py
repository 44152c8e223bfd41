"""A mail server of a few lines: keeps what it is handed, and refuses whom it is told to refuse."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Mailbox:
    """What a server took, as it came over the wire."""

    port: int = 0
    senders: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    greetings: list[bytes] = field(default_factory=list)


@contextmanager
def smtp_server(*, refusing: str = "", tls: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """A server on a free port of the loopback; with `tls` it offers STARTTLS."""
    box = Mailbox()

    class Session(socketserver.StreamRequestHandler):
        timeout = 20

        def answer(self, line: bytes) -> None:
            self.wfile.write(line + b"\r\n")

        def handle(self) -> None:
            self.answer(b"220 ready")
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    self.answer(b"354 go on")
                    mail = b""
                    while (part := self.rfile.readline()) != b".\r\n":
                        mail += part.removeprefix(b".")
                    box.mails.append(mail)
                elif verb == b"MAIL":
                    box.senders.append(line.decode().strip())
                elif verb == b"RCPT":
                    if refusing and refusing.encode() in line:
                        self.answer(b"550 nobody of that name")
                        continue
                    box.recipients.append(line.decode().strip())
                elif verb == b"QUIT":
                    self.answer(b"221 bye")
                    return
                elif verb == b"EHLO" and tls is not None:
                    self.answer(b"250-here\r\n250 STARTTLS")
                    continue
                elif verb == b"STAR" and tls is not None:
                    self.answer(b"220 go ahead")
                    try:
                        with tls.wrap_socket(self.connection, server_side=True) as secured:
                            box.greetings.append(secured.recv(1000))
                    except OSError as error:
                        box.greetings.append(type(error).__name__.encode())
                    return
                self.answer(b"250 done")

    with socketserver.TCPServer(("127.0.0.1", 0), Session) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()
