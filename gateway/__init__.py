"""Merchant side: payments, channels, the x402 facilitator, and the pages around them."""
