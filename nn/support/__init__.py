"""Code that all of `nn` shares: names, files, text, data as arrays, and parts of pictures."""
