"""Talking to the CA (RFC 8555, RFC 9773); the only room that knows `acme` and `josepy`.

`client.Ca` speaks, `transport.Http` carries, `verify.verify_chain` looks at what came back. All values handed out are
in `values`; importing that module alone costs nothing. Everything else is imported when the CA is really needed.
"""
