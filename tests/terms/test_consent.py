"""What has to be agreed to before there is an account (ご利用条件 第4条1項, 第5条7項, 第8条3号; TERMS A3)."""

from __future__ import annotations

import pytest

from jprs_client.locale import terms as sentences
from jprs_client.terms.consent import Agreement, Consent, Documents, missing, terms_moved

TERMS = "https://ca.example/terms.html"


@pytest.mark.parametrize(
    ("consent", "left"),
    [
        (None, (Agreement.TERMS, Agreement.CT)),
        (Consent(agreed_terms=False, agreed_ct=False), (Agreement.TERMS, Agreement.CT)),
        (Consent(agreed_terms=True, agreed_ct=False), (Agreement.CT,)),
        (Consent(agreed_terms=False, agreed_ct=True), (Agreement.TERMS,)),
        (Consent(agreed_terms=True, agreed_ct=True), ()),
    ],
)
def test_terms_and_disclosure_are_agreed_to_each_by_itself(
    consent: Consent | None, left: tuple[Agreement, ...]
) -> None:
    assert missing(consent) == left


def test_the_directorys_terms_go_before_our_own_address() -> None:
    assert Documents.of(TERMS).terms_of_service == TERMS
    assert Documents.of(None) == Documents()


def test_terms_at_another_address_are_noticed_and_terms_that_are_not_named_say_nothing() -> None:
    agreed = Consent(agreed_terms=True, agreed_ct=True, documents=Documents.of(TERMS))
    assert not terms_moved(agreed, TERMS)
    assert not terms_moved(agreed, None)
    assert terms_moved(agreed, TERMS + "?2")


@pytest.mark.parametrize("agreement", Agreement)
def test_what_is_agreed_to_is_said_with_its_address(agreement: Agreement) -> None:
    documents = Documents.of(TERMS)
    for language in (sentences.EN, sentences.JA):
        said = language[f"agreement.{agreement.value}"].format(
            terms_of_service=documents.terms_of_service, ct_disclosure=documents.ct_disclosure
        )
        assert "https://" in said
