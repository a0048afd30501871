"""Readers of files: columns, arrays, pictures, encodings."""
