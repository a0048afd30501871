"""Pages about runs: one model of a page, and what writes it as HTML, Markdown and LaTeX."""
