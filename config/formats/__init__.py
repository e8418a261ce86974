"""How dates are written where no template says it: on the admin's pages."""
