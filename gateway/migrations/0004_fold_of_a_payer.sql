-- A payer's window drains with time, however often it is looked at: a level holds parts of a unit, so that nothing is
-- rounded away.
ALTER TABLE velocity_windows ALTER COLUMN level TYPE numeric(46,6);

DROP AGGREGATE fold_charge(numeric, numeric, numeric, numeric, boolean);
DROP FUNCTION fold_charge_step(numeric, numeric, numeric, numeric, numeric, boolean);

-- One step of folding a payer's vouchers in order, over all channels of that payer: a voucher is captured when its
-- maximum is exactly what its channel is charged so far plus its amount, the channel can carry it, and the payer's
-- window has room. Anything else leaves charge and window where they were, so it takes nothing from those after it.
--   state[1]         what became of this voucher (gateway/payments/outcomes.py)
--   state[2]         what its channel was charged before it
--   state[3]         what of the window is spent by the vouchers so far
--   state[3 + slot]  what the payer's channel number `slot` is charged so far
CREATE FUNCTION fold_charge_step(state numeric[], slot integer, opening numeric, voucher_max numeric, amount numeric,
                                   spendable numeric, exposed numeric, room numeric, objection integer)
RETURNS numeric[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    charged numeric := COALESCE(state[3 + slot], opening);
    outcome integer;
BEGIN
    IF state IS NULL THEN state := ARRAY[0, 0, 0]; END IF;
    outcome := CASE WHEN objection <> 0 THEN objection
                    WHEN voucher_max - amount <> charged THEN 1
                    WHEN voucher_max > spendable THEN 2
                    WHEN voucher_max > exposed THEN 3
                    WHEN room IS NULL OR state[3] + amount > room THEN 4
                    ELSE 0 END;
    state[1] := outcome;
    state[2] := charged;
    IF outcome = 0 THEN
        state[3] := state[3] + amount;
        state[3 + slot] := voucher_max;
    END IF;
    RETURN state;
END $$;
CREATE AGGREGATE fold_charge(integer, numeric, numeric, numeric, numeric, numeric, numeric, integer)
    (SFUNC = fold_charge_step, STYPE = numeric[]);
