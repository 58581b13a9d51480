"""Kernel support vector machines: f(x) = b + Σ βᵢ k(x, xᵢ), most β zero, found by convex optimisation."""
