"""What policies in CEL share, whichever dialect they are of: names, match constraints, validations, changes."""
