"""What is trained to be used: model folders, the predictor, training, pre-training."""

from nver.models.model_folder import Model, check_out, read_model, shipped_folder, write_model

__all__ = ["Model", "check_out", "read_model", "shipped_folder", "write_model"]
