"""Readers of files: columns, pictures, encodings."""
