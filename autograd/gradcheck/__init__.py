"""Gradients compared with finite differences: `check_gradients`, and its report."""

from autograd.gradcheck.check import assert_gradients as assert_gradients, check_gradients as check_gradients
from autograd.gradcheck.report import Report as Report
