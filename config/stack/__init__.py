"""The servers and processes of one checkout: embedded PostgreSQL and Valkey, web, workers, beat."""
