"""A venue's answers written down, and a venue that gives them again.

`Recorder` stands before any venue and writes a line a call; `Replay` answers from such lines, call by call in their
order. A day that went wrong can so be gone through again, offline and as often as one likes.
"""
