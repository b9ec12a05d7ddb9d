"""The x402 v2 wire protocol: the facilitator's endpoints and the paywall that merchants put before their app."""
