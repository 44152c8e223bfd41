"""The terms of service as the directory shows them, and which edition an account has agreed to (RFC 8555 §7.3.3)."""

from __future__ import annotations

from dataclasses import dataclass

from jprs_client.testca.problems import Problem


@dataclass(slots=True)
class Terms:
    """Editions are counted from 1; each has an address of its own."""

    edition: int = 1

    @property
    def path(self) -> str:
        """Where the edition in force stands, on the ACME side."""
        return "/terms" if self.edition == 1 else f"/terms/{self.edition}"

    def change(self) -> None:
        """A new edition is in force: who agreed to an older one is asked again before the next order."""
        self.edition += 1

    def require(self, agreed: int, base: str) -> None:
        """Return when `agreed` is the edition in force. Raises Problem userActionRequired."""
        if agreed >= self.edition:
            return
        where = f"{base}{self.path}"
        raise Problem(
            "userActionRequired",
            f"the terms of service changed: {where} is to be agreed to",
            headers=(("Link", f'<{where}>;rel="terms-of-service"'),),
            more={"instance": where},
        )
