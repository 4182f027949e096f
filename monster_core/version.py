"""Hold the version of the distribution: every package of it reports this one."""

__version__ = "0.1.0"
