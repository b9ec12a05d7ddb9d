-- The most gas that we pay for; what needs more is not sent. Without it, whatever the node estimates.
ALTER TABLE chain_transactions ADD COLUMN gas_most bigint CHECK (gas_most > 0);
