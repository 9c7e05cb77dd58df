"""Spectra that several encoders begin with."""
