"""What is known of a share from a sample: bounds, certificates, tests. Pure."""
