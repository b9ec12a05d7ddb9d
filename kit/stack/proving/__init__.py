"""What `make prove` is made of: properties, campaigns, analysers and mutants of the contracts."""
