"""A policy that is being written, tried before it is kept: on one object, or over all that is there.

Whoever may see the fleet may try a policy, so what is tried is not to be
trusted: it is read, compiled and run in a process of its own that has no
files, no network, no environment and little time and memory (`confined`).
"""
