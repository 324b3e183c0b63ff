"""History, kept: verdicts, findings, the ledger between days and all that people decided, on SQLite or PostgreSQL.

Everything here blocks: a caller with an event loop gives a call to a thread.
One way to write a query serves both engines, and a transaction stays a `with`.
"""
