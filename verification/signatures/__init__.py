"""EIP-712 digests and secp256k1 recovery."""
