"""From a target book to legal orders, fills and an account."""
