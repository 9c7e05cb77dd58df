"""Speaker encoders with random weights in their published layout."""

from pathlib import Path


def d_vector_file(folder: Path, seed: int = 0) -> Path:
    """A checkpoint as the d-vector's author saves them, with random weights."""
    import torch

    from nver.encoders.d_vector import COEFFICIENTS, HIDDEN, LAYERS, STATE

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        lstm = torch.nn.LSTM(COEFFICIENTS, HIDDEN, LAYERS, batch_first=True, bidirectional=True)
    folder.mkdir(parents=True, exist_ok=True)
    state = {f"lstm.{name}": tensor for name, tensor in lstm.state_dict().items()}
    torch.save({STATE: state, "losses": [0.5], "training_time": 1.0}, folder / "saved_model.pt")
    return folder / "saved_model.pt"
