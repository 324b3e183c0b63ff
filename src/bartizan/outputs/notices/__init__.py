"""Notices as those who get them want them: one renderer a file, each a pure function.

All names and messages come from clusters and are hostile: each renderer
writes them where its receiver reads no markup, or escapes what it reads as
such, and keeps within the limits that the receiver documents.
"""
