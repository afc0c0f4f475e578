"""Version of the package. The library that it loads must have the same major and minor number."""

VERSION = "0.1.0"
