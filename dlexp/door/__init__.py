"""What `import dlexp` offers to a program or a notebook; nothing heavy is imported before it is needed."""
