"""Probes of an ACME server, written from the RFCs: `python -m jprs_client.testca.conformance DIRECTORY_URL`.

Alone on purpose: it shares no code with the CA beside it, nor with the client, so that no misreading is checked by
itself.
"""
