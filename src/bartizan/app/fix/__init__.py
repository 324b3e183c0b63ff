"""`fix`: rules and remedies applied to the user's own files, until nothing more is to be done."""
