"""Tables from files and frames, read once into one form."""

from thetahat.tables.reading import NA_VALUES, read
from thetahat.tables.table import Table, frame_like

__all__ = ["NA_VALUES", "Table", "frame_like", "read"]
