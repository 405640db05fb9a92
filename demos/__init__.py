"""Stories to run: `python -m demos` lists them."""
