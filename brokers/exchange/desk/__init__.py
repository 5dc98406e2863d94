"""The counter: requests in, replies out, in the wire formats of the API, without a network."""
