"""What every classifier of the registry keeps to, plug-ins included."""

import pytest
import torch
from safetensors.torch import load, save
from torch.nn.functional import cross_entropy

from nver.classifiers import Classifier, build_classifier, check_classifier
from nver.errors import UsageError
from nver.registry import lookup, names

DIM, EMOTIONS, CLIPS = 40, 5, 9
LITERAL = {
    "cnn": [{"pool": 2}],
    "concat": [{"pool": 2}],
    "reno": [
        {"pool": 2},
        {"attention": "literal"},
        {"attention": "none"},
        {"divergence": "none"},
        {"divergence": "renyi-renormalised"},
        {"divergence": "renyi-symmetric", "delta": 1e-8},
        {"divergence": "kl"},
    ],
    "hyfuse": [
        {"curvature": "learned"},
        {"operator": "gyromidpoint", "c": 10.0},
        {"operator": "tangent-concat"},
        {"output": "hyperbolic", "curvature": "learned"},
        {"gate": False, "pool": 2},
    ],
    "late-average": [{"head": "fcn"}],
    "cross-attention": [{"pool": 2}],
}


def most_streams(name):
    """One stream more than it needs at least, where it takes them."""
    least, most = lookup("classifiers", name).streams
    return least + 1 if most is None else most


CASES = [
    pytest.param(name, count, options, id="-".join(map(str, [name, count, *options.values()])))
    for name in names("classifiers")
    for options in [{}, *LITERAL.get(name, [])]
    for count in sorted({lookup("classifiers", name).streams[0], most_streams(name)})
]
every_classifier = pytest.mark.parametrize(("name", "count", "options"), CASES)


def built(name, count, options, seed=0) -> Classifier:
    torch.manual_seed(seed)
    dims = [DIM + i for i in range(count)]
    return build_classifier(name, dims, EMOTIONS, **options)


def embeddings(count, size=1.0, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return [size * torch.randn(CLIPS, DIM + i, generator=generator) for i in range(count)]


def train_a_little(classifier, count, steps=3):
    torch.manual_seed(2)
    optimiser = torch.optim.Adam(classifier.parameters(), 1e-3)
    emotions = torch.arange(CLIPS) % EMOTIONS
    for _ in range(steps):
        optimiser.zero_grad()
        logits, auxiliary = classifier(embeddings(count))
        loss = classifier.cross_entropy_weight * cross_entropy(logits, emotions) + auxiliary
        loss.backward()
        optimiser.step()
    return classifier.eval()


def learns_nothing(options, parameter):
    """Queries and keys of attention over one token; tested to be zero in test_downstream."""
    literal = options.get("attention") == "literal"
    return literal and parameter.rsplit(".", 2)[1] in ("W_Q", "W_K")


@every_classifier
def test_shapes(name, count, options):
    logits, auxiliary = built(name, count, options)(embeddings(count))
    assert logits.shape == (CLIPS, EMOTIONS)
    assert auxiliary.shape == ()
    assert logits.dtype == auxiliary.dtype == torch.float32


@every_classifier
def test_gradient_reaches_every_parameter(name, count, options):
    """And is no rounding noise: every parameter has over 1e-6 of the largest gradient."""
    classifier = built(name, count, options)
    logits, auxiliary = classifier(embeddings(count))
    weight = classifier.cross_entropy_weight
    (weight * cross_entropy(logits, torch.arange(CLIPS) % EMOTIONS) + auxiliary).backward()
    largest = {key: p.grad.abs().max().item() for key, p in classifier.named_parameters()}
    noise = 1e-6 * max(largest.values())
    assert largest
    assert [k for k in largest if not learns_nothing(options, k) and largest[k] <= noise] == []


@every_classifier
def test_same_seed_same_result(name, count, options):
    trained = [train_a_little(built(name, count, options, seed), count) for seed in (0, 0, 3)]
    with torch.no_grad():
        first, again, other = (classifier(embeddings(count))[0] for classifier in trained)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@every_classifier
def test_saved_and_loaded_gives_the_same_logits(name, count, options):
    trained = train_a_little(built(name, count, options), count)
    other = built(name, count, options, seed=3).eval()
    other.load_state_dict(load(save(trained.state_dict())))
    with torch.no_grad():
        assert torch.equal(trained(embeddings(count))[0], other(embeddings(count))[0])


@every_classifier
@pytest.mark.parametrize("size", [0.0, 1e-30, 1e6])
def test_extreme_embeddings_give_finite_logits_and_gradients(name, count, options, size):
    classifier = built(name, count, options)
    logits, auxiliary = classifier(embeddings(count, size))
    (cross_entropy(logits, torch.arange(CLIPS) % EMOTIONS) + auxiliary).backward()
    assert torch.isfinite(logits).all()
    assert torch.isfinite(auxiliary)
    assert all(torch.isfinite(p.grad).all() for p in classifier.parameters())


@every_classifier
def test_a_clips_logits_do_not_depend_on_its_batch(name, count, options):
    classifier = train_a_little(built(name, count, options), count)
    x = embeddings(count)
    order = torch.randperm(CLIPS, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        together = classifier(x)[0]
        alone = torch.cat([classifier([s[i : i + 1] for s in x])[0] for i in range(CLIPS)])
        shuffled = classifier([s[order] for s in x])[0]
    scale = together.abs().max()
    torch.testing.assert_close(alone / scale, together / scale, rtol=0, atol=2e-6)
    torch.testing.assert_close(shuffled / scale, together[order] / scale, rtol=0, atol=2e-6)


@every_classifier
def test_every_stream_counts(name, count, options):
    classifier = built(name, count, options).eval()
    x = embeddings(count)
    with torch.no_grad():
        logits = classifier(x)[0]
        for i in range(count):
            changed = [-s if i == j else s for j, s in enumerate(x)]
            assert not torch.allclose(classifier(changed)[0], logits)


@pytest.mark.parametrize("name", names("classifiers"))
def test_the_card_says_what_it_is(name):
    card = lookup("classifiers", name)
    assert card.name == name
    assert card.title
    assert card.citation
    torch.manual_seed(0)
    explicit = build_classifier(name, [DIM] * card.streams[0], EMOTIONS, **card.options)
    torch.manual_seed(0)
    default = build_classifier(name, [DIM] * card.streams[0], EMOTIONS)
    for a, b in zip(explicit.parameters(), default.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", names("classifiers"))
def test_a_misspelt_option_is_answered_with_the_nearest(name):
    card = lookup("classifiers", name)
    for option in card.options or {"anything": 0}:
        near = f"did you mean {option!r}" if card.options else "known: none"
        with pytest.raises(UsageError, match=near):
            check_classifier(name, card.streams[0], {option + "x": 1})


@pytest.mark.parametrize("name", names("classifiers"))
def test_the_number_of_streams_is_checked(name):
    least, most = lookup("classifiers", name).streams
    for count in [least - 1] if most is None else [least - 1, most + 1]:
        with pytest.raises(UsageError, match=f"got {count}"):
            check_classifier(name, count, {})
