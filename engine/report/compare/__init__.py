"""Several runs beside each other, and the page of it."""
