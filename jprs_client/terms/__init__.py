"""The terms of service as code: names, usage period, authority, validity, revocation reason, consent.

Pure: facts and a moment in, an answer out. docs/terms.md leads from each article to its function and its test.
"""
