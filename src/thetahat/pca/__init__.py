"""Principal components: the orthogonal directions in which the rows vary, with error bars."""
