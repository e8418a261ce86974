"""One answer to many quarantined rows: chosen, looked at, given to each."""
