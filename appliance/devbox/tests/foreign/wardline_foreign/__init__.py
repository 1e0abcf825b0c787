"""A Wardline client on aioquic, written from the protocol page alone (docs/protocol/README.md).

It exists to find out whether the page is enough, and to keep it so.
"""
