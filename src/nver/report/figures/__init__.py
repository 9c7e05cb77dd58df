"""Figures: drawn, and written as SVG and PNG."""
