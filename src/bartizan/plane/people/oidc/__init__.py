"""Sign-in by a provider of OpenID Connect: authorization code with PKCE, and both ways of signing out.

provider.py  what the provider says of itself, its keys, and the calls to it
claims.py    which of its tokens hold, and who is in them
doors.py     where a browser leaves for it and comes back, and where it tells us that a session is over
"""
