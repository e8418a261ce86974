"""One break as pages, the API and the admin show it: both sides, what explains it, what the gate says, what hangs on it."""
