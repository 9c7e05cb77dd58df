"""What is trained to be used: model folders, the predictor, training, pre-training."""

from nver.models.model_folder import (
    Model,
    ModelEncoder,
    check_out,
    has_shipped,
    read_model,
    shipped_folder,
    write_model,
)

__all__ = [
    "Model",
    "ModelEncoder",
    "check_out",
    "has_shipped",
    "read_model",
    "shipped_folder",
    "write_model",
]
