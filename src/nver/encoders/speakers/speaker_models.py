"""Speaker embeddings: SpeechBrain's x-vector and ECAPA-TDNN, and a d-vector; light to import."""

from functools import partial

from nver.encoders.base import POOLINGS, Encoder, EncoderCard, EncoderSpec


def load(spec: EncoderSpec) -> Encoder:
    """The x-vector or ECAPA-TDNN of a spec."""
    from nver.encoders.speakers.speaker_encoder import SpeakerEncoder

    return SpeakerEncoder(spec)


def load_d_vector(spec: EncoderSpec) -> Encoder:
    """The d-vector of a spec, whose weights the user must have fetched."""
    from nver.encoders.speakers.d_vector import DVector

    return DVector(spec)


_card = partial(EncoderCard, kind="speaker", sampling_rate=16_000, licence="Apache-2.0", load=load)
# Parameters: of the embedding model, without the classifier of its training.
X_VECTOR = _card(
    name="x-vector",
    family="x-vector",
    dim=512,
    parameters=4_211_604,
    weights="speechbrain/spkrec-xvect-voxceleb",
    url="https://huggingface.co/speechbrain/spkrec-xvect-voxceleb",
    citation="Snyder et al. (2018), X-Vectors: Robust DNN Embeddings for Speaker Recognition,"
    " ICASSP; Ravanelli et al. (2021), SpeechBrain, arXiv 2106.04624",
)
ECAPA = _card(
    name="ecapa",
    family="ecapa-tdnn",
    dim=192,
    parameters=20_767_552,
    weights="speechbrain/spkrec-ecapa-voxceleb",
    url="https://huggingface.co/speechbrain/spkrec-ecapa-voxceleb",
    citation="Desplanques et al. (2020), ECAPA-TDNN, arXiv 2005.07143; Ravanelli et al. (2021),"
    " SpeechBrain, arXiv 2106.04624",
)
D_VECTOR = _card(
    name="d-vector",
    family="lstm",
    dim=128,
    parameters=252_928,
    url="https://github.com/wq2012/SpeakerRecognitionFromScratch",
    citation="Quan Wang, SpeakerRecognitionFromScratch, github.com/wq2012; trained on LibriSpeech"
    " with a triplet loss",
    load=load_d_vector,
    poolings=POOLINGS,
)
