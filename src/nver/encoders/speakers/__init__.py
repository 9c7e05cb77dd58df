"""Speaker encoders: x-vector, ECAPA, d-vector."""
