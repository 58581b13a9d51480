"""Maximum-likelihood machine learning with an error bar on everything.

Names are imported on first use; ``__init__.pyi`` is the list of what is public.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.1.0"

del lazy_loader
