"""What was decided, sent and answered, on disk before it happens: the one memory that outlives a crash."""
