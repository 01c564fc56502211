"""Tests that open the app in a browser."""
