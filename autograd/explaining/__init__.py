"""Gradients as text: names and formulas, a graph as a tree, derivations path by path, operation cards."""
