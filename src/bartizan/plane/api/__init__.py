"""The plane for programs, under `/api/v1`: everything that its pages show and do.

An operation is described once, as data: the parameters and bodies it takes
and gives are records with types and bounds. What is sent is read by that
description and nothing else, and the OpenAPI document is written from it; so
the two cannot disagree. One module a resource; `routes` joins them.
"""
