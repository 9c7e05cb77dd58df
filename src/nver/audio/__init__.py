"""A recording, a span of it or an array -> mono float32 samples at a given rate."""

from nver.audio.recording import FloatArray, Recording, load_audio, read_recording, resample

__all__ = ["FloatArray", "Recording", "load_audio", "read_recording", "resample"]
