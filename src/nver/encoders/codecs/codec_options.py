"""The options of all codecs: latents before or after the quantiser, and how many codebooks."""

from nver.encoders.base import EncoderSpec
from nver.errors import UsageError, check_choice

OPTIONS = {"latents": "continuous", "codebooks": "all"}
LATENTS = ("continuous", "quantised")


def read_codebooks(spec: EncoderSpec, most: int) -> int:
    """How many of the `most` codebooks quantise the frames: 0 for continuous latents.

    Raises:
        UsageError: an unknown kind of latents, a number out of range, or one for continuous ones.
    """
    options = {**OPTIONS, **spec.options}
    latents, codebooks = options["latents"], options["codebooks"]
    check_choice("value of latents", latents, LATENTS)
    if latents == "continuous":
        if codebooks != "all":
            raise UsageError(
                f"{spec.name}: codebooks={codebooks!r} quantises nothing of continuous latents:"
                ' add latents="quantised"'
            )
        return 0
    number = most if codebooks == "all" else codebooks
    if type(number) is not int or not 1 <= number <= most:
        raise UsageError(
            f'{spec.name}: codebooks is "all" or a whole number from 1 to {most}; got {codebooks!r}'
        )
    return number


def identity_options(codebooks: int) -> dict[str, str | int]:
    """One form of the options for an `EncoderIdentity`, whichever way they were written."""
    if codebooks == 0:
        return {"latents": "continuous"}
    return {"latents": "quantised", "codebooks": codebooks}
