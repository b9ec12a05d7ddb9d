-- What claims and settles look for, without reading channels at rest.
CREATE INDEX channel_states_unsettled ON channel_states (merchant_id, channel_no) WHERE claimed > settled;
