"""A signer for tests: keys, certificates, logs and every kind of signature, good and bad."""
