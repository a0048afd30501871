"""How files reach the disk, and which are read and written in the folders that runs lie in."""
