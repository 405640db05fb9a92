"""What all of `nn` shares and nobody else needs: names, files, text, data as arrays, and parts of pictures."""
