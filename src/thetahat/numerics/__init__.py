"""Array in, array out, nothing validated: stable primitives and decompositions."""
