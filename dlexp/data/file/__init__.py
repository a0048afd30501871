"""Readers of files: columns, arrays, encodings of text and of columns."""
