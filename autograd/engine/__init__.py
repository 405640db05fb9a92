"""The engine: what a variable is, how it records operations, and how gradients flow back."""
