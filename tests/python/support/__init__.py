"""Servers, doubles and files for the tests of the Python package."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
