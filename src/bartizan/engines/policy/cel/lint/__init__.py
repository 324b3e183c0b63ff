"""What is wrong with a policy in CEL before it runs: small rules, each about one thing, whatever dialect it is of."""
