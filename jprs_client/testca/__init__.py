"""A CA to break things with: ACME as RFC 8555 says, JPRS's contracts, a clock that is set, faults on request.

It stands alone: nothing of the client's is imported here, so that what both sides would misread alike is still found.
"""
