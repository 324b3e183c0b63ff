"""Who somebody is, and how a browser or a program shows it."""
