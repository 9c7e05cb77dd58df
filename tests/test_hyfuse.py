"""HYFuse-style fusion and its controls: order, operators, curvature, clipping, ONNX."""

from functools import reduce
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from helpers_onnx import exported
from nver.classifiers import build_classifier, check_classifier
from nver.classifiers.layers.attention import AttentionBlock
from nver.classifiers.layers.convolution import pool
from nver.classifiers.layers.poincare import exp_0, gyromidpoint, log_0, mobius_add
from nver.classifiers.training.loop import TrainingConfig, fit, predict_proba
from nver.errors import UsageError

DIMS, EMOTIONS = [40, 33, 8], 5


def built(name: str = "hyfuse", dims: list[int] = DIMS, seed: int = 0, **options: Any) -> Any:
    torch.manual_seed(seed)
    return build_classifier(name, dims, EMOTIONS, **options).eval()


def streams(dims: list[int] = DIMS, clips: int = 7) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(clips, dim, generator=generator) for dim in dims]


def vectors(classifier: Any) -> list[Tensor]:
    pairs = zip(classifier.branches, streams(), strict=True)
    return [branch(stream) for branch, stream in pairs]


# -------------------------------------------------------------------------------------- fusion


@pytest.mark.parametrize("c", [0.1, 1.0])
def test_streams_are_added_on_the_ball_from_left_to_right(c: float) -> None:
    model = built(c=c, clip=0)
    points = [exp_0(vector.double(), c) for vector in vectors(model)]
    fused = log_0(reduce(lambda x, y: mobius_add(x, y, c), points), c).float()
    logits, auxiliary = model(streams())
    assert torch.equal(logits, model.dense(fused))
    assert auxiliary.item() == 0
    assert model.cross_entropy_weight == 1


def test_the_order_of_streams_matters_to_the_addition_and_not_to_the_midpoint() -> None:
    for operator, matters in (("mobius", True), ("gyromidpoint", False)):
        model = built(operator=operator)
        one, two, three = vectors(model)
        same = torch.allclose(model.fused([one, two, three]), model.fused([three, one, two]))
        assert same != matters


def test_the_midpoint_is_the_gyromidpoint() -> None:
    model = built(operator="gyromidpoint", clip=0)
    points = [exp_0(vector.double(), 1.0) for vector in vectors(model)]
    expected = log_0(gyromidpoint(points, 1.0), 1.0).float()
    torch.testing.assert_close(model.fused(vectors(model)), expected, rtol=1e-6, atol=0)


def test_tangent_concat_is_exp_then_log_side_by_side() -> None:
    model = built(operator="tangent-concat")
    there_and_back = [log_0(exp_0(v.double(), 1.0), 1.0).float() for v in vectors(built(clip=0))]
    shortened = [v * (1 / v.norm(dim=1, keepdim=True)).clamp_max(1) for v in there_and_back]
    torch.testing.assert_close(model.fused(vectors(model)), torch.cat(shortened, dim=1))


def test_a_small_curvature_is_a_sum_and_a_vector_is_clipped_before() -> None:
    model = built(c=1e-3, clip=1e-2)
    shortened = [1e-2 * v / v.norm(dim=1, keepdim=True) for v in vectors(model)]
    torch.testing.assert_close(model.fused(vectors(model)), sum(shortened), rtol=1e-4, atol=1e-9)


def test_without_gate_the_branches_are_those_of_concat() -> None:
    ours, concat = built(gate=False).branches, built("concat").branches
    shapes = [[tuple(p.shape) for p in branches.parameters()] for branches in (ours, concat)]
    assert shapes[0] == shapes[1]
    gated = built().branches[0]
    before = gated[:-1](streams()[0])
    torch.testing.assert_close(gated(streams()[0]), gated[-1].weigh(before).sigmoid() * before)


def test_the_hyperbolic_output_replaces_the_last_layer_only() -> None:
    plain, hyperbolic = built(), built(output="hyperbolic")
    assert [type(m) for m in hyperbolic.dense] == [type(m) for m in plain.dense][:-1]
    assert hyperbolic.hyperplanes.Z.shape == plain.dense[-1].weight.shape
    assert hyperbolic.hyperplanes.r.shape == (EMOTIONS,)


# ----------------------------------------------------------------------------------- curvature


@pytest.mark.parametrize("c", [1e-3, 1.0, 10.0])
def test_a_learned_curvature_starts_where_it_is_told_and_is_saved(c: float) -> None:
    model = built(curvature="learned", c=c)
    assert model.curvature().item() == pytest.approx(c, rel=1e-6)
    with torch.no_grad():
        model.curvature.raw.fill_(1.5)
    other = built(curvature="learned", c=c)
    other.load_state_dict(load(save(model.state_dict())))
    assert torch.equal(other.curvature(), model.curvature())


def test_a_learned_curvature_stays_positive() -> None:
    model = built(curvature="learned")
    for raw in (-600.0, -100.0, 100.0):
        with torch.no_grad():
            model.curvature.raw.fill_(raw)
        model.zero_grad()
        logits = model(streams())[0]
        logits.sum().backward()
        assert model.curvature() > 0
        assert torch.isfinite(logits).all()
        assert all(torch.isfinite(p.grad).all() for p in model.parameters())


@pytest.mark.parametrize("output", ["euclidean", "hyperbolic"])
def test_the_training_loop_learns_the_curvature(output: str) -> None:
    rng = np.random.default_rng(0)
    emotions = np.arange(40) % 2
    clips = [rng.standard_normal((40, 6)) + 2 * emotions[:, None] for _ in range(2)]
    fitted = fit(
        lambda: build_classifier("hyfuse", [6, 6], 2, curvature="learned", output=output),
        clips,
        emotions,
        np.arange(40) % 5 == 0,
        TrainingConfig(epochs=5),
        seed=0,
    )
    classifier: Any = fitted.classifier
    assert abs(classifier.curvature().item() - 1) > 1e-4
    assert (predict_proba(fitted, clips).argmax(axis=1) == emotions).mean() > 0.9


# ------------------------------------------------------------------------------------ controls


@pytest.mark.parametrize("head", ["cnn", "fcn"])
def test_late_average_is_the_mean_of_the_heads_probabilities(head: str) -> None:
    model = built("late-average", head=head)
    logits, auxiliary = model(streams())
    each = [h([s])[0].softmax(dim=1) for h, s in zip(model.heads, streams(), strict=True)]
    torch.testing.assert_close(logits.softmax(dim=1), torch.stack(each).mean(0))
    torch.testing.assert_close(logits, torch.stack(each).mean(0).log())
    assert auxiliary.item() == 0
    single = built(head, dims=DIMS[:1])
    shapes = [[tuple(p.shape) for p in m.parameters()] for m in (model.heads[0], single)]
    assert shapes[0] == shapes[1]


def test_cross_attention_takes_keys_and_values_from_the_other_streams() -> None:
    block = AttentionBlock(8, 2, 0.0).eval()
    generator = torch.Generator().manual_seed(0)
    own, others = (torch.randn(3, n, 8, generator=generator) for n in (4, 9))
    theirs = torch.nn.MultiheadAttention(8, 2, bias=False, batch_first=True).eval()
    with torch.no_grad():
        parts = [getattr(block.attention, name).weight for name in ("W_Q", "W_K", "W_V")]
        theirs.in_proj_weight.copy_(torch.cat(parts))
        theirs.out_proj.weight.copy_(block.attention.W_O.weight)
    expected = block.norm(own + theirs(own, others, others, need_weights=False)[0])
    torch.testing.assert_close(block(own, others), expected)


def test_cross_attention_reads_every_stream_by_all_others() -> None:
    model = built("cross-attention")
    tokens = [conv(stream) for conv, stream in zip(model.convs, streams(), strict=True)]
    first = model.attentions[0](tokens[0], torch.cat(tokens[1:], dim=1))
    middle = model.attentions[1](tokens[1], torch.cat([tokens[0], tokens[2]], dim=1))
    last = model.attentions[2](tokens[2], torch.cat(tokens[:2], dim=1))
    read = [p(t) for p, t in zip(model.projections, (first, middle, last), strict=True)]
    torch.testing.assert_close(model(streams())[0], model.dense(torch.cat(read, dim=1)))


# ---------------------------------------------------------------------------------------- ONNX


@pytest.mark.parametrize(
    ("length", "positions"), [(384, 24), (20, 24), (1, 3), (33, 7), (80, 24), (16, 16)]
)
def test_the_exported_pool_gives_the_same_numbers(
    length: int, positions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = torch.randn(2, 3, length, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.AdaptiveMaxPool1d(positions)(x)
    assert torch.equal(pool(x, positions), expected)
    monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)
    assert torch.equal(pool(x, positions), expected)


class Logits(torch.nn.Module):
    """What an exported classifier gives: the logits of two streams."""

    def __init__(self, classifier: torch.nn.Module) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, one: Tensor, two: Tensor) -> Tensor:
        logits: Tensor = self.classifier([one, two])[0]
        return logits


def check_onnx(name: str, **options: Any) -> None:
    """The same logits, for one clip and for seven, and for embeddings from zero to 1e6."""
    dims = DIMS[:2]
    module = Logits(built(name, dims, **options))
    clips = {0: torch.export.Dim("clips")}
    run = exported(module, tuple(streams(dims, 3)), dynamic_shapes=(clips, clips))
    for size, number in ((1.0, 7), (0.0, 7), (1e6, 7), (1.0, 1)):
        given = [size * stream for stream in streams(dims, number)]
        with torch.no_grad():
            expected = module(*given).numpy()
        assert np.abs(run(*given)[0] - expected).max() <= 2e-6 * np.abs(expected).max()


def test_hyfuse_runs_the_same_in_onnx() -> None:
    check_onnx("hyfuse", curvature="learned", output="hyperbolic")


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("hyfuse", {}),
        ("hyfuse", {"c": 0.1, "clip": 2.5, "pool": 2}),
        ("hyfuse", {"operator": "gyromidpoint", "curvature": "learned"}),
        ("hyfuse", {"operator": "tangent-concat", "gate": False}),
        ("late-average", {}),
        ("cross-attention", {}),
        ("concat", {}),
        ("reno", {}),
    ],
)
def test_every_fusion_runs_the_same_in_onnx(name: str, options: dict[str, Any]) -> None:
    check_onnx(name, **options)


# --------------------------------------------------------------------------------------- wrong


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("hyfuse", {"operator": "moebius"}, "did you mean 'mobius'"),
        ("hyfuse", {"curvature": "learnt"}, "did you mean 'learned'"),
        ("hyfuse", {"curvature": 1.0}, "unknown curvature of hyfuse '1.0'"),
        ("hyfuse", {"output": "hyperbolik"}, "did you mean 'hyperbolic'"),
        ("hyfuse", {"c": 0}, "c must be a number from 1e-3 to 10; got 0"),
        ("hyfuse", {"c": -1.0}, "c must be a number from 1e-3 to 10"),
        ("hyfuse", {"clip": -1}, "clip must be a number from 0, no clip, to 1000; got -1"),
        ("hyfuse", {"gate": "no"}, "gate must be true or false; got 'no'"),
        ("hyfuse", {"width": 0}, "width must be an integer"),
        ("hyfuse", {"operator": "tangent-concat", "curvature": "learned"}, "no curvature to learn"),
        ("late-average", {"head": "cnnn"}, "did you mean 'cnn'"),
        ("late-average", {"dropout": 1}, "dropout must be"),
        ("cross-attention", {"positions": 0}, "positions must be"),
    ],
)
def test_a_wrong_option_is_refused(name: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        check_classifier(name, 2, options)
