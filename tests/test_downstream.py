"""The networks of the RENO paper: sizes, order, attention, losses, options."""

import numpy as np
import pytest
import torch
from torch import nn

from nver.classifiers import build_classifier, check_classifier
from nver.classifiers.layers.attention import AttentionBlock, SelfAttention
from nver.classifiers.layers.blocks import conv_block, dense_block
from nver.classifiers.layers.convolution import ConvPool
from nver.classifiers.layers.drop_attention import drop_attend
from nver.errors import UsageError

WIDTHS = (768, 960, 1920, 3840)  # of the paper's encoders
PAIRS = [(a, b) for a in WIDTHS for b in WIDTHS]


def parameters(name, dims, emotions=6, **options):
    return sum(p.numel() for p in build_classifier(name, dims, emotions, **options).parameters())


def streams(dims, clips=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(clips, dim, generator=generator) for dim in dims]


# ------------------------------------------------------------------------------- printed sizes


@pytest.mark.parametrize("emotions", [6, 13])
@pytest.mark.parametrize("dim", WIDTHS)
def test_cnn_has_the_printed_size(dim, emotions):
    assert 0.9e6 <= parameters("cnn", [dim], emotions) <= 1.1e6


@pytest.mark.parametrize("emotions", [6, 13])
@pytest.mark.parametrize("dims", PAIRS)
def test_reno_has_the_printed_size(dims, emotions):
    assert 1.3e6 <= parameters("reno", dims, emotions) <= 1.5e6


@pytest.mark.parametrize(
    ("dim", "count"), [(768, 460_166), (960, 558_470), (1920, 1_049_990), (3840, 2_033_030)]
)
def test_fcn_cannot_have_the_printed_size(dim, count):
    assert parameters("fcn", [dim]) == count
    assert not 0.7e6 <= count <= 1.0e6


@pytest.mark.parametrize("pool", [2, "literal"])
@pytest.mark.parametrize(
    ("dim", "count"), [(768, 6_364_742), (960, 7_937_606), (1920, 15_801_926), (3840, 31_530_566)]
)
def test_cnn_of_the_literal_pool(dim, count, pool):
    assert parameters("cnn", [dim], pool=pool) == count


# ------------------------------------------------------------------------------------- blocks


@pytest.mark.parametrize("length", [1, 2, 3, 33, 64, 160])
@pytest.mark.parametrize("positions", [None, 28])
def test_convolution_with_its_pool_equals_torchs_layers(length, positions):
    ours = ConvPool(5, 7, positions).double()
    last = nn.MaxPool1d(2, ceil_mode=True) if positions is None else nn.AdaptiveMaxPool1d(positions)
    theirs = nn.Sequential(ours.conv, nn.ReLU(), last)
    h = torch.randn(3, length, 5, generator=torch.Generator().manual_seed(0)).double()
    h.requires_grad_()
    results = [ours(h), theirs(h.transpose(1, 2)).transpose(1, 2)]
    torch.testing.assert_close(*results)
    weights = torch.randn_like(results[0])
    inputs = [h, ours.conv.weight, ours.conv.bias]
    gradients = [torch.autograd.grad((out * weights).sum(), inputs) for out in results]
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("pool", ["adaptive", 2])
def test_conv_block_is_the_papers_layers(pool):
    block = conv_block(pool, 28)
    first, second = block[1].conv, block[2].conv
    last = nn.MaxPool1d(2) if pool == 2 else nn.AdaptiveMaxPool1d(28)
    literal = nn.Sequential(first, nn.ReLU(), nn.MaxPool1d(2), second, nn.ReLU(), last)
    (x,) = streams([160])
    torch.testing.assert_close(block(x), literal(x.unsqueeze(1)).transpose(1, 2))


def test_cnn_is_conv_block_flatten_and_the_fcns_layers():
    cnn = build_classifier("cnn", [96], 4).eval()
    conv, _, dense = cnn.network
    (x,) = streams([96])
    torch.testing.assert_close(cnn([x])[0], dense(conv(x).reshape(5, 64 * 28)))
    fcn = dense_block(64 * 28, 4, 0.3)
    assert [type(m) for m in dense] == [type(m) for m in fcn]
    assert [m.p for m in dense if isinstance(m, nn.Dropout)] == [0.3, 0.3]


@pytest.mark.parametrize(("width", "heads", "tokens"), [(64, 2, 24), (512, 2, 1), (12, 3, 5)])
def test_self_attention_equals_torchs(width, heads, tokens):
    ours = SelfAttention(width, heads).eval()
    theirs = nn.MultiheadAttention(width, heads, bias=False, batch_first=True).eval()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([w.weight for w in (ours.W_Q, ours.W_K, ours.W_V)]))
        theirs.out_proj.weight.copy_(ours.W_O.weight)
    x = torch.randn(3, tokens, width, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours(x), theirs(x, x, x, need_weights=False)[0])


def test_dropout_of_attention_drops_its_share_and_keeps_the_sum():
    Q, K = (torch.zeros(2, 1, 300, 4, dtype=torch.float64) for _ in range(2))
    V = torch.eye(300, dtype=torch.float64).expand(2, 1, -1, -1)
    torch.manual_seed(0)
    first = drop_attend(Q.expand(2, 1, 300, 4), K, V, 0.25)  # V = 1: what it gives is the weights
    kept = first > 0
    assert abs(kept.double().mean().item() - 0.75) < 0.01
    torch.testing.assert_close(first[kept].unique(), torch.tensor([1 / 300 / 0.75]).double())
    assert not torch.equal(kept[0], kept[1])
    torch.manual_seed(0)
    assert torch.equal(drop_attend(Q, K, V, 0.25), first)


def test_gradients_of_attention_with_dropout():
    generator = torch.Generator().manual_seed(0)
    Q, K, V = (
        torch.randn(3, 2, n, 4, generator=generator).double().requires_grad_() for n in (5, 6, 6)
    )

    def attend(*matrices):
        torch.manual_seed(1)  # the same weights are dropped in each call
        return drop_attend(*matrices, 0.3)

    assert torch.autograd.gradcheck(attend, (Q, K, V))


def test_attention_over_positions_mixes_them_and_has_a_residual():
    block = AttentionBlock(8, 2, 0.0)
    x = torch.randn(1, 3, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    block(x)[0, 0, 0].backward()
    assert (x.grad[0, 1:].abs().amax(-1) > 1e-3).all()
    nn.init.zeros_(block.attention.W_O.weight)
    torch.testing.assert_close(block(x), block.norm(x))


def test_attention_drops_weights_in_training_only():
    block = AttentionBlock(8, 2, 0.5)
    x = torch.randn(1, 6, 8, generator=torch.Generator().manual_seed(0))
    assert not torch.equal(block(x), block(x))
    block.eval()
    assert torch.equal(block(x), block(x))


# --------------------------------------------------------------------------------------- RENO


def printed_divergence(x, y, beta=2.0, delta=0.2):
    z_x, z_y = (v.double().softmax(-1).detach().numpy() for v in (x, y))
    terms = (z_x + delta) ** beta * (z_y + delta) ** (1 - beta)
    return np.log(terms.sum(axis=-1)) / (beta - 1)


@pytest.mark.parametrize("attention", ["positions", "literal"])
def test_reno_goes_in_the_papers_order(attention):
    """conv, attention, divergence between the branches, concatenation, attention, dense."""
    reno = build_classifier("reno", [96, 40], 4, attention=attention).eval()
    x = streams([96, 40])
    vectors = [branch(stream) for branch, stream in zip(reno.branches, x, strict=True)]
    logits, auxiliary = reno(x)
    torch.testing.assert_close(logits, reno.dense(reno.fusion(torch.stack(vectors, 1))))
    assert [tuple(v.shape) for v in vectors] == [(5, 256)] * 2
    assert reno.cross_entropy_weight == 0.4
    assert auxiliary.item() == pytest.approx(0.6 * printed_divergence(*vectors).mean(), rel=1e-6)


def test_reno_positions_are_tokens_of_64():
    reno = build_classifier("reno", [768, 960], 6)
    kinds = ["Sequential", "AttentionBlock", "Flatten", "Linear"]
    for branch in reno.branches:
        assert [type(m).__name__ for m in branch] == kinds
        assert branch[1].attention.W_Q.weight.shape == (64, 64)
        assert branch[3].weight.shape == (256, 24 * 64)
    attentions = [m for m in reno.modules() if isinstance(m, SelfAttention)]
    assert [m.heads for m in attentions] == [2, 2, 2]
    assert [m.dropout for m in attentions] == [0.1, 0.1, 0.1]


def test_reno_literal_attends_to_one_token_so_queries_and_keys_learn_nothing():
    reno = build_classifier("reno", [96, 40], 4, attention="literal")
    logits, auxiliary = reno(streams([96, 40]))
    (logits.square().sum() + auxiliary).backward()
    attentions = [m for m in reno.modules() if isinstance(m, SelfAttention)]
    assert [m.W_Q.weight.shape[0] for m in attentions] == [256, 256, 512]
    for attention in attentions:
        for weights in (attention.W_Q.weight, attention.W_K.weight):
            assert torch.equal(weights.grad, torch.zeros_like(weights))
        for weights in (attention.W_V.weight, attention.W_O.weight):
            assert weights.grad.abs().max() > 0


def test_reno_of_three_streams_takes_the_mean_over_pairs():
    reno = build_classifier("reno", [8, 9, 10], 4, delta=1e-8).eval()
    a, b, c = reno.vectors(streams([8, 9, 10]))
    expected = [printed_divergence(x, y, delta=1e-8) for x, y in ((a, b), (a, c), (b, c))]
    np.testing.assert_allclose(
        reno.divergence([a, b, c]).detach(), np.mean(expected, axis=0), rtol=1e-4
    )


def test_reno_beta_delta_and_lambda_reach_the_loss():
    reno = build_classifier("reno", [8, 9], 4, beta=3.0, delta=0.05, lambda_=0.7).eval()
    x = streams([8, 9])
    expected = printed_divergence(*reno.vectors(x), beta=3.0, delta=0.05).mean()
    assert reno(x)[1].item() == pytest.approx(0.3 * expected, rel=1e-6)
    assert reno.cross_entropy_weight == 0.7


def test_reno_without_divergence_is_trained_on_cross_entropy_alone():
    reno = build_classifier("reno", [8, 9], 4, divergence="none")
    assert reno(streams([8, 9]))[1].item() == 0
    assert reno.cross_entropy_weight == 1


def test_reno_without_attention_is_concat_with_the_divergence():
    """Conv block, flatten, projection, concatenation, dense: the baseline's very modules."""
    reno = build_classifier("reno", [96, 40], 4, attention="none").eval()
    concat = build_classifier("concat", [96, 40], 4).eval()
    tensors = zip(reno.state_dict().values(), concat.state_dict().values(), strict=True)
    concat.load_state_dict(dict(zip(concat.state_dict(), (t for t, _ in tensors), strict=True)))
    x = streams([96, 40])
    logits, auxiliary = reno(x)
    torch.testing.assert_close(logits, concat(x)[0])
    assert auxiliary.item() == pytest.approx(
        0.6 * printed_divergence(*reno.vectors(x)).mean(), rel=1e-6
    )


@pytest.mark.parametrize(
    ("name", "floor"),
    [("renyi", np.log(52.2)), ("renyi-renormalised", 0), ("renyi-symmetric", np.log(52.2)),
     ("kl", 0)],
)  # fmt: skip
def test_reno_says_what_lies_above_the_floor(name, floor):
    reno = build_classifier("reno", [8, 9], 4, divergence=name).eval()
    x = streams([8, 9])
    said = reno.diagnostics(x)
    assert said["divergence_floor"] == pytest.approx(floor)
    assert said["divergence"] == pytest.approx(reno(x)[1].item() / 0.6, rel=1e-5, abs=1e-6)
    assert said["divergence_excess"] == pytest.approx(said["divergence"] - floor)
    assert said["divergence_excess"] > 0


def test_reno_without_divergence_has_nothing_to_say():
    assert build_classifier("reno", [8, 9], 4, divergence="none").diagnostics([]) == {}


def test_concat_is_reno_without_the_attention_blocks():
    """The same parameters but for those of attention and its LayerNorm."""
    reno = build_classifier("reno", [768, 3840], 6)
    attention = [m for m in reno.modules() if isinstance(m, AttentionBlock)]
    left_out = {id(p) for m in attention for p in m.parameters()}
    kept = [tuple(p.shape) for p in reno.parameters() if id(p) not in left_out]
    concat = build_classifier("concat", [768, 3840], 6)
    assert [tuple(p.shape) for p in concat.parameters()] == kept


def test_concat_keeps_the_order_of_streams():
    concat = build_classifier("concat", [8, 9], 4).eval()
    x = streams([8, 9])
    vectors = [branch(stream) for branch, stream in zip(concat.branches, x, strict=True)]
    torch.testing.assert_close(concat(x)[0], concat.dense(torch.cat(vectors, 1)))


# ------------------------------------------------------------------------------ small and wrong


SMALL = [
    ("linear", {}),
    ("fcn", {}),
    ("cnn", {}),
    ("cnn", {"pool": 2}),
    ("concat", {"pool": 2}),
    ("reno", {}),
    ("reno", {"pool": 2}),
    ("reno", {"attention": "literal", "pool": 2}),
    ("reno", {"attention": "none", "divergence": "kl"}),
]


@pytest.mark.parametrize("dim", [1, 2, 3, 5, 7])
@pytest.mark.parametrize(("name", "options"), SMALL)
def test_any_dim_works(name, options, dim):
    dims = [dim] * (2 if name in ("concat", "reno") else 1)
    logits, auxiliary = build_classifier(name, dims, 3, **options)(streams(dims, clips=1))
    assert logits.shape == (1, 3)
    assert auxiliary.shape == ()


@pytest.mark.parametrize(
    ("name", "count", "options", "says"),
    [
        ("renno", 2, {}, "did you mean 'reno'"),
        ("cnn", 2, {}, r"cnn takes 1 embedding\(s\) a clip; got 2"),
        ("reno", 1, {}, r"reno takes 2 or more embedding\(s\) a clip; got 1"),
        ("reno", 2, {"lamda_": 0.4}, "did you mean 'lambda_'"),
        ("linear", 1, {"dropout": 0.3}, "unknown option of linear 'dropout'"),
        ("cnn", 1, {"pool": 3}, "pool must be .* got 3"),
        ("cnn", 1, {"pool": "adaptiv"}, "pool must be .* got 'adaptiv'"),
        ("cnn", 1, {"positions": 0}, "positions must be an integer of at least 1; got 0"),
        ("cnn", 1, {"positions": 2.5}, "positions must be an integer"),
        ("fcn", 1, {"dropout": 1}, r"dropout must be a number in \[0, 1\); got 1"),
        ("fcn", 1, {"dropout": "0.3"}, "dropout must be a number"),
        ("concat", 2, {"width": True}, "width must be an integer"),
        ("reno", 2, {"attention": "position"}, "did you mean 'positions'"),
        ("reno", 2, {"divergence": "reny"}, "did you mean 'renyi'"),
        ("reno", 2, {"heads": 3}, "cannot be split in 3 heads"),
        ("reno", 2, {"beta": 1}, "beta must be a number above 0 and not 1, at most 100; got 1"),
        ("reno", 2, {"delta": -0.1}, "delta must be a number of at least 0"),
        ("reno", 2, {"lambda_": 0.0}, r"lambda_ must be a number in \(0, 1\]; got 0.0"),
        ("reno", 2, {"lambda_": float("nan")}, "lambda_ must be a number"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_trained(name, count, options, says):
    with pytest.raises(UsageError, match=says):
        check_classifier(name, count, options)


def test_the_check_draws_no_random_numbers():
    before = torch.get_rng_state()
    check_classifier("reno", 2, {})
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("dims", "emotions", "says"),
    [([0], 3, "dim must be an integer of at least 1; got 0"), ([4], 1, "emotions .* at least 2")],
)
def test_sizes_are_checked(dims, emotions, says):
    with pytest.raises(UsageError, match=says):
        build_classifier("fcn", dims, emotions)
