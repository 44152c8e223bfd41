"""What registering means agreeing to, and what was agreed (ご利用条件 第4条1項, 第5条7項-9項, 第8条3号; TERMS A3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

#: Where JPRS publishes CPS, CP and the terms; the directory's own `termsOfService` goes before it.
REPOSITORY_URL = "https://jprs.jp/pubcert/info/repository/"
#: Public page on what goes to the log operators. Which page 第5条7項 means is linked from the terms, not named in them.
CT_URL = "https://jprs.jp/pubcert/about/CT/"


class Agreement(Enum):
    """What a person agrees to before there is an account; each is asked by itself."""

    TERMS = "terms"  # 第4条1項: the terms of use, the CPS and the CP, in one
    CT = "ct"  # 第5条7項: certificate data goes to log operators abroad, after reading JPRS's page on it


@dataclass(frozen=True, slots=True)
class Documents:
    """The addresses of what is agreed to, as they are to be shown and recorded."""

    terms_of_service: str = REPOSITORY_URL
    policies: str = REPOSITORY_URL
    ct_disclosure: str = CT_URL

    @classmethod
    def of(cls, terms_of_service: str | None) -> Documents:
        """With the directory's `termsOfService` (RFC 8555 §7.1.1), which may be absent."""
        return cls(terms_of_service or REPOSITORY_URL)


@dataclass(frozen=True, slots=True)
class Consent:
    """Who agreed to what and when: a record, never changed; agreeing again makes another."""

    agreed_terms: bool
    agreed_ct: bool
    documents: Documents = Documents()
    agreed_by: str = ""
    agreed_at: datetime | None = None


def missing(consent: Consent | None) -> tuple[Agreement, ...]:
    """What is still to be agreed to before registering; empty when nothing is."""
    if consent is None:
        return tuple(Agreement)
    given = {Agreement.TERMS: consent.agreed_terms, Agreement.CT: consent.agreed_ct}
    return tuple(agreement for agreement in Agreement if not given[agreement])


def terms_moved(consent: Consent, terms_of_service: str | None) -> bool:
    """Whether the directory names other terms than those agreed to.

    Worth telling, never a reason to hold back a renewal (ご利用条件 第8条3号, 第22条); only the CA's
    userActionRequired is (RFC 8555 §7.3.3). A directory that names none says nothing.
    """
    return terms_of_service is not None and terms_of_service != consent.documents.terms_of_service
