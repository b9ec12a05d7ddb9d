"""x402 batch-settlement channels: state and claims."""
