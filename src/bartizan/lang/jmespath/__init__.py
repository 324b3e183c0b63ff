"""JMESPath, compiled: the expressions inside `{{ }}`."""
