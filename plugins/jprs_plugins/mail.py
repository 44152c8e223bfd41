"""Notices by mail: one message for all, by the host's sendmail or to a mail server."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from jprs_client.errors import HookFailed, harmless
from jprs_client.plugin import Notice, Options
from jprs_plugins.command import delivered_by, seconds_of
from jprs_plugins.messages import message
from jprs_plugins.processes import inherited

if TYPE_CHECKING:
    from email.message import EmailMessage

SENDMAIL = "/usr/sbin/sendmail"
DEFAULT_SECONDS = 60
#: No longer line is shown as a subject.
MOST_IN_A_SUBJECT = 200

#: One address and nothing else: what a header or a command line would take otherwise does not pass.
_ADDRESS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9!$&'*+._~=-]{0,63}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_LOOPBACK = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|::1")


class Mail:
    """Mails `to` these addresses; by `sendmail`, or where `smtp` says HOST:PORT to that mail server.

    `subject` is what subjects begin with, `timeout` how many seconds the delivery may take.
    """

    options: ClassVar[Options] = {
        "to": "strings!",
        "from": "str",
        "subject": "str",
        "sendmail": "path",
        "smtp": "address",
        "timeout": "int",
    }

    def __init__(self, settings: Mapping[str, object], /) -> None:
        """Raises HookFailed mail-bad-address, notifier-timeout-unusable."""
        to, host = settings["to"], socket.gethostname()
        self._to = [_checked(address) for address in (to if isinstance(to, list | tuple) else [to])]
        if not self._to:
            raise HookFailed("mail-bad-address", address="[]")
        self._from = _checked(settings["from"]) if "from" in settings else None
        self._subject = str(settings.get("subject", f"[jprs-client {host}]"))
        self._sendmail = str(settings.get("sendmail", SENDMAIL))
        self._smtp = str(settings["smtp"]) if "smtp" in settings else None
        self._host = host
        self._seconds = seconds_of(settings, DEFAULT_SECONDS)

    def notify(self, notices: Sequence[Notice], /) -> None:
        """Hand over one mail with all of them.

        Raises HookFailed: notifier-missing, notifier-failed, notifier-timeout, program-unsafe; mail-smtp-failed,
        mail-refused.
        """
        mail = self._mail(notices)
        if self._smtp is not None:
            self._hand_to_server(mail, self._smtp)
        else:
            delivered_by((self._sendmail, "-t", "-oi"), inherited(), self._seconds, mail.as_bytes())

    def _mail(self, notices: Sequence[Notice]) -> EmailMessage:
        """The message. Header fields hold one line, whatever a CA has said (THREATS D6)."""
        from email import policy
        from email.message import EmailMessage
        from email.utils import formatdate, make_msgid

        whole = message(notices)
        mail = EmailMessage(policy.default.clone(cte_type="7bit"))
        mail["Subject"] = harmless(f"{self._subject} {whole.subject}", MOST_IN_A_SUBJECT)
        if self._from is not None or self._smtp is not None:  # sendmail knows who calls it
            mail["From"] = self._from or f"jprs-client@{self._host}"
        mail["To"] = ", ".join(self._to)
        mail["Date"] = formatdate()
        mail["Message-ID"] = make_msgid(domain=self._host)
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence is answered
        mail.set_content("\n".join(harmless(line, 2000) for line in whole.text.split("\n")) + "\n")
        return mail

    def _hand_to_server(self, mail: EmailMessage, server: str) -> None:
        import smtplib
        import ssl

        host, _, port = server.rpartition(":")
        host = host.strip("[]")
        try:
            with smtplib.SMTP(host, int(port), local_hostname=self._host, timeout=self._seconds) as connection:
                connection.ehlo_or_helo_if_needed()
                # On this host nobody listens in, and its mail server's certificate is mostly nobody's.
                if connection.has_extn("starttls") and not _LOOPBACK.fullmatch(host):
                    connection.starttls(context=ssl.create_default_context())
                refused = connection.send_message(mail, from_addr=mail["From"], to_addrs=self._to)
        except (smtplib.SMTPException, OSError) as error:
            raise HookFailed("mail-smtp-failed", server=server, cause=harmless(error)) from error
        if refused:
            raise HookFailed("mail-refused", server=server, addresses=sorted(refused))


def _checked(address: object) -> str:
    """An address that no header and no server can take for more. Raises HookFailed."""
    text = str(address)
    if not _ADDRESS.fullmatch(text):
        raise HookFailed("mail-bad-address", address=harmless(text, 100))
    return text
