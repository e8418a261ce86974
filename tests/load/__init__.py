"""Reviewers at work while programs ask and decide: `make load`."""
