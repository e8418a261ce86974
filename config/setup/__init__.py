"""The set-up page: from two files to a running reconciliation."""
