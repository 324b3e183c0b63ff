"""Questions that pages ask, by noun. Each takes an open transaction and the viewer's scope, and answers with records.

One transaction serves a page, so that its parts agree. Nothing here counts
without a bound: counts are kept, and lists come in pages.
"""
