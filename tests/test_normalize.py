import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from dlexp.normalize import Affine, MinMax, NoNormalize, Standard
from tests.present import present

DRAW = torch.Generator().manual_seed(0)
TABLE = torch.randn(9000, 5, generator=DRAW) * torch.tensor([1, 1e3, 1e-3, 5, 1]) + torch.tensor([0, 1e5, 0, -3, 7])
BYTES = torch.randint(0, 200, (50, 6, 7, 3), generator=DRAW, dtype=torch.uint8)


@pytest.mark.parametrize(("option", "reference"), [(Standard, StandardScaler), (MinMax, MinMaxScaler)])
def test_tables_equal_scikit_learn(option, reference):
    expected = reference().fit_transform(TABLE.double().numpy())
    scaled = option().fit(TABLE).apply(TABLE)
    torch.testing.assert_close(scaled.double(), torch.from_numpy(expected), rtol=1e-3, atol=2e-2)
    small = TABLE[:, [0, 2, 3, 4]]
    torch.testing.assert_close(
        option().fit(small).apply(small).double(), torch.from_numpy(expected[:, [0, 2, 3, 4]]), rtol=1e-5, atol=1e-5
    )


def test_standard_statistics():
    scaled = Standard().fit(BYTES).apply(BYTES)
    assert scaled.dtype == torch.float32
    torch.testing.assert_close(scaled.mean((0, 1, 2)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(scaled.std((0, 1, 2), correction=0), torch.ones(3), atol=1e-5, rtol=0)


def test_minmax_range():
    scaled = MinMax().fit(BYTES).apply(BYTES)
    torch.testing.assert_close(scaled.amin((0, 1, 2)), torch.zeros(3), atol=1e-6, rtol=0)
    torch.testing.assert_close(scaled.amax((0, 1, 2)), torch.ones(3), atol=1e-6, rtol=0)


def test_none_makes_bytes_fractions():
    torch.testing.assert_close(NoNormalize().fit(BYTES).apply(BYTES), BYTES.float() / 255)


@pytest.mark.parametrize("option", [Standard, MinMax, NoNormalize])
def test_rows_alone_decide(option):
    rows = torch.randperm(50, generator=torch.Generator().manual_seed(1))[:20]
    fit, alone = option().fit(BYTES, rows), option().fit(BYTES[rows])
    torch.testing.assert_close(fit.scale, alone.scale)
    changed = BYTES.clone()
    changed[[i for i in range(50) if i not in rows]] = 255
    assert option().fit(changed, rows).scale.equal(fit.scale)
    assert option().fit(changed, rows).shift.equal(fit.shift)


@pytest.mark.parametrize("value", [0.0, 0.1, 123.456, -1e4])
@pytest.mark.parametrize("option", [Standard, MinMax])
def test_constant_feature(option, value):
    fit = option().fit(torch.full((5000, 1), value))
    assert fit.scale.tolist() == [1]
    assert float(fit.apply(torch.tensor([[value]])).abs()) < 1e-6 * max(1, abs(value))


@given(st.integers(0, 10**6), st.sampled_from([Standard, MinMax, NoNormalize]), st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_invert_is_the_identity(seed, option, channels):
    x = torch.rand(6, 5, 4, channels, generator=torch.Generator().manual_seed(seed))
    fit = option().fit(x)
    torch.testing.assert_close(fit.invert(fit.apply(x)), x, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("x", [BYTES, BYTES.float() / 255])
def test_channels_first(x):
    fit = Standard().fit(BYTES)
    expected = fit.apply(x).permute(0, 3, 1, 2)
    assert fit.apply(x.permute(0, 3, 1, 2), channel_dim=-3).equal(expected)
    assert fit.apply(x.permute(0, 3, 1, 2).contiguous(), channel_dim=-3).equal(expected)


def test_input_is_left_alone():
    x = torch.rand(4, 3, 3, 2, generator=torch.Generator().manual_seed(0))
    before = x.clone()
    Standard().fit(x).apply(x)
    assert x.equal(before)


@pytest.mark.parametrize("shape", [(3, 50, 5), (3, 10, 6, 7, 3)])
def test_stack_equals_each_alone(shape):
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    fits = [Standard().fit(row) for row in x]
    stacked = Affine.stack(fits).apply(x)
    for t in range(3):
        assert stacked[t].equal(fits[t].apply(x[t]))


def test_missing_numbers_take_the_training_mean():
    table = torch.tensor([[1.0, 2.0], [3.0, torch.nan], [torch.nan, 4.0], [torch.nan, torch.nan]])
    fit = MinMax().fit(table, torch.arange(2))
    assert fit.fill is not None
    assert fit.fill.tolist() == [2, 2]
    assert fit.apply(table)[:, 0].tolist() == [0, 1, 0.5, 0.5]
    assert present(Standard().fit(table, torch.tensor([1])).fill).tolist() == [3, 0]
    assert NoNormalize().fit(table).apply(table).isfinite().all()
    stacked = Affine.stack([fit, Standard().fit(torch.zeros(4, 2))])
    assert stacked.apply(torch.stack([table, table]))[0].equal(fit.apply(table))
    assert present(stacked.keep([1]).fill).tolist() == [[0, 0]]
    assert present(fit.to("cpu").fill).equal(fit.fill)


def test_the_mean_is_stored_where_nothing_is_missing():
    fill = Standard().fit(TABLE, torch.arange(100)).fill
    assert fill is not None
    torch.testing.assert_close(fill, TABLE[:100].double().mean(0))
    assert Standard().fit(BYTES).fill is None


@pytest.mark.parametrize(
    ("base", "step"), [(1.7e9, 1), (1e15, 1), (0, 1e-13), (1e39, 1e38), (-1e300, 1e299), (1e-290, 1e-291)]
)
@pytest.mark.parametrize("option", [Standard, MinMax])
def test_differences_survive_whatever_the_size(option, base, step):
    place = torch.arange(51, dtype=torch.float64)
    scaled = option().fit((base + step * place)[:, None]).apply((base + step * place)[:, None])
    # of 0 .. 50: mean 25, variance (51^2 - 1) / 12
    expected = (place - 25) / (2600 / 12) ** 0.5 if option is Standard else place / 50
    torch.testing.assert_close(scaled[:, 0].double(), expected, atol=0.02 if base == 1e15 else 2e-6, rtol=0)


def test_a_stack_keeps_differences_too():
    x = 1.7e9 + torch.arange(51, dtype=torch.float64)[:, None]
    fits = [Standard().fit(x, torch.arange(40)), Standard().fit(x, torch.arange(10, 51))]
    for t, fit in enumerate(fits):
        assert Affine.stack(fits).apply(torch.stack([x, x]))[t].equal(fit.apply(x))


def test_pictures_are_normalised_in_the_precision_of_the_model():
    fit = Standard().fit(BYTES)
    wide = BYTES.double() / 255
    expected = (wide - wide.mean((0, 1, 2))) / wide.std((0, 1, 2), correction=0)
    torch.testing.assert_close(fit.apply(BYTES, dtype=torch.float64), expected, rtol=1e-12, atol=1e-12)
    assert fit.apply(BYTES).dtype == torch.float32


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_have_their_channels_innermost_whatever_they_came_in(channels):
    x_NCHW = BYTES[..., :channels].movedim(-1, 1)
    fit = Standard().fit(BYTES[..., :channels])
    layouts = [x_NCHW, x_NCHW.contiguous(), x_NCHW.contiguous(memory_format=torch.channels_last)]
    single = [fit.apply(x, -3) for x in layouts]
    stack = Affine.stack([fit, fit])
    stacked = [stack.apply(torch.stack([x, x]), -3)[0] for x in layouts]
    for y in (*single, *stacked):
        assert y.stride() == single[0].stride()
        assert torch.equal(y, single[0])
        assert y.movedim(1, -1).is_contiguous()
