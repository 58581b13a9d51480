"""Reverse-mode differentiation of plain NumPy code, over tensors of any rank."""
