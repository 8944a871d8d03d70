"""The order integration hub: one canonical order between everyone who sends orders and everyone who fulfils them."""

__version__ = "0.1.0"
