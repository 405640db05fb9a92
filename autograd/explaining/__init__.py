"""Gradients in words: names and formulas, the tree of a graph, derivations path by path, cards of operations."""
