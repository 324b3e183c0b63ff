"""One kind of judgement each; none knows another. All failure happens in `compile`, `run` is total."""
