"""Exports of a fleet: its findings, chosen as on the pages, in the formats that others read. One writer a file."""
