"""The terms of service as the directory shows them, and which edition an account has agreed to (RFC 8555 §7.3.3).

ご利用条件 第22条: they may change at the same address or at another one, and a change may or may not hold orders up.
"""

from __future__ import annotations

from dataclasses import dataclass

from jprs_client.testca.problems import Problem


@dataclass(slots=True)
class Terms:
    """Editions are counted from 1. `required`: the oldest that suffices; `placed`: the one the address is named for."""

    edition: int = 1
    required: int = 1
    placed: int = 1

    @property
    def path(self) -> str:
        """Where the edition in force stands, on the ACME side."""
        return "/terms" if self.placed == 1 else f"/terms/{self.placed}"

    def change(self, *, require: bool = True, same_address: bool = False) -> None:
        """A new edition is in force: who agreed to an older one is asked again before the next order.

        Without `require` nobody is: whoever agreed once goes on. With `same_address` its address stays as it was.
        """
        self.edition += 1
        if require:
            self.required = self.edition
        if not same_address:
            self.placed = self.edition

    def require(self, agreed: int, base: str) -> None:
        """Return when `agreed` suffices. Raises Problem userActionRequired."""
        if agreed >= self.required:
            return
        where = f"{base}{self.path}"
        raise Problem(
            "userActionRequired",
            f"the terms of service changed: {where} is to be agreed to",
            headers=(("Link", f'<{where}>;rel="terms-of-service"'),),
            more={"instance": where},
        )
