"""Gradients held against finite differences: `check_gradients`, and the report of what is wrong."""

from autograd.gradcheck.check import check_gradients
