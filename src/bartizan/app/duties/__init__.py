"""What a plane has to do without being asked: some of it again and again, some for as long as it runs.

With SQLite the one process does all of it (`here`). With PostgreSQL it is
claimed from a queue in the same database (`shared`), so that workers are
added by starting them; the duties are the same.
"""
