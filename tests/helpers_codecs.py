"""Neural codecs with random weights, narrow, in the layout of the published checkpoints."""

from pathlib import Path
from typing import Any

TINY: dict[str, tuple[str, int, dict[str, Any]]] = {  # the model, its rate, what is unlike it
    "encodec-24khz": (
        "encodec",
        24_000,
        {  # 2.4 kbit/s are 8 codebooks of 16 entries
            "num_filters": 2,
            "hidden_size": 16,
            "target_bandwidths": [2.4],
        },
    ),
    "dac-16khz": (
        "dac",
        16_000,
        {  # the hub's config.json has these ratios and 12 codebooks
            "encoder_hidden_size": 2,
            "decoder_hidden_size": 16,
            "downsampling_ratios": [2, 4, 5, 8],
            "n_codebooks": 12,
            "codebook_dim": 4,
        },
    ),
    "mimi": (
        "mimi",
        24_000,
        {
            "num_filters": 2,
            "hidden_size": 16,
            "vector_quantization_hidden_dimension": 8,
            "codebook_dim": 8,
            "num_quantizers": 8,
            "num_hidden_layers": 1,
            "intermediate_size": 16,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "upsample_groups": 16,
        },
    ),
}


def codec_model(name: str, seed: int = 0, **config: Any) -> Any:
    """transformers' own model: every parameter and codebook entry random."""
    import torch
    from transformers import AutoConfig, AutoModel

    kind, _, tiny = TINY[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        settings = {"codebook_size": 16, **tiny, **config}
        model = AutoModel.from_config(AutoConfig.for_model(kind, **settings))
        for path, tensor in model.state_dict().items():
            if path.endswith((".embed", ".embed_sum", "codebook.weight")):
                tensor.copy_(torch.randn_like(tensor))
            elif kind == "dac" and path.endswith(".weight"):  # else next to nothing comes out
                torch.nn.init.kaiming_normal_(tensor)
    return model.eval()


def codec_folder(folder: Path, name: str, seed: int = 0, **config: Any) -> Path:
    """That model as its authors published it: config.json, preprocessor_config.json, weights.

    EnCodec's file has the older names of weight norm, Mimi's has its parts side by side.
    """
    import json

    from safetensors.torch import load_file, save_file
    from transformers.utils import logging

    model = codec_model(name, seed, **config)
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    model.save_pretrained(folder)
    if bars:
        logging.enable_progress_bar()
    state = load_file(folder / "model.safetensors")
    save_file({_published(k): v for k, v in state.items()}, folder / "model.safetensors")
    frontend = {"feature_size": 1, "sampling_rate": TINY[name][1], "padding_value": 0.0}
    (folder / "preprocessor_config.json").write_text(json.dumps(frontend))
    return folder


def _published(name: str) -> str:
    for now, then in (("original0", "weight_g"), ("original1", "weight_v")):
        name = name.replace(f"parametrizations.weight.{now}", then)
    return name
