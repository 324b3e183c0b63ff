"""The plane: a fleet of clusters in a browser and behind an API, served by one stateless process.

    pages/    what people look at, rendered here; every page is a URL and reads without a script
    api/      the same for programs, under `/api/v1`
    people/   who somebody is and what they may: sign-in, sessions, tokens, roles

A room offers `ROUTES`; `application` binds them. A handler is a plain
function that blocks: it is called in a thread, with all it may need in one
`Asked`, and what it may see is in the viewer's scope and nowhere else.
"""
