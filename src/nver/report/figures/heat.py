"""The shades of the recall table: steps of one hue on the light and the dark page."""

from PIL.ImageColor import getrgb

STEPS = 20  # of 5 points each (our choice): finer ones cannot be told apart
LIGHT = ("#fdfdfb", "#1f5f9e")  # lowest, highest
DARK = ("#14181d", "#7cb5ec")
INKS = ("#000000", "#ffffff")  # one of the two has a contrast of 4.5 on any shade


def heat_step(share: float) -> int:
    """The class of a share (0..1): 0 .. `STEPS`."""
    return round(min(max(share, 0.0), 1.0) * STEPS)


def heat_css() -> str:
    """One rule a step for the light page, and one for the dark."""
    return f"{_rules(*LIGHT)}@media (prefers-color-scheme:dark){{{_rules(*DARK)}}}"


def _rules(low: str, high: str) -> str:
    rules = []
    for step in range(STEPS + 1):
        shade = mix(low, high, step / STEPS)
        ink = max(INKS, key=lambda colour: contrast(colour, shade))
        rules.append(f".h{step}{{background:{shade};color:{ink}}}")
    return "".join(rules)


def mix(low: str, high: str, share: float) -> str:
    """The colour at `share` (0..1) of the way."""
    pairs = zip(getrgb(low), getrgb(high), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in getrgb(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
