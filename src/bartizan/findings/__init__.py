"""What happens to findings: fingerprint, waive, compare with a baseline, count."""
