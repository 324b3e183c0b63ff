"""What people look at: one module a page, with the routes it answers; the template of the same name draws it."""
