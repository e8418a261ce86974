"""The admin's pages of what arrives."""
