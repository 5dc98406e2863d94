"""What can be done, one verb a file: the command and `import plimsoll` call the same functions."""
