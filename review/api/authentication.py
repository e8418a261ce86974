"""Token sign-in of programs."""
