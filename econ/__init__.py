"""Econometric evaluation of regional innovation systems.

Data sets and files become a ``Panel``; estimators take a panel and return an ``Estimate``; ``econ.report`` turns
estimates into tables and figures. Nothing is loaded before it is used: the names are those of ``__init__.pyi``.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
