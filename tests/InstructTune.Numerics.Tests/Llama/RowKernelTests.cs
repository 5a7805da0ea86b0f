using CsCheck;
using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Llama;

public sealed class RowKernelTests
{
    [Fact]
    public void Products_equal_those_of_libtorch_and_do_not_depend_on_the_other_rows()
    {
        Gen.Select(Gen.Int[1, 11], Gen.Int[1, 70], Gen.Int[1, 40], Gen.Bool).Sample((rows, inputs, outputs, hasBias) =>
        {
            using var scope = NewDisposeScope();
            var (x_MI, w_OI) = (randn(rows, inputs), randn(outputs, inputs));
            var bias_O = hasBias ? randn(outputs) : null;
            var y_MO = Multiply(x_MI, w_OI, bias_O);
            Assert.True(ReferenceModel.Distance(y_MO, nn.functional.linear(x_MI, w_OI, bias_O!)) < 1e-4);
            for (var row = 0; row < rows; row++)
            {
                Assert.Equal(0, ReferenceModel.Distance(Multiply(x_MI.narrow(0, row, 1), w_OI, bias_O)[0], y_MO[row]));
            }
        }, iter: 200, threads: 1);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void Threads_share_the_work_and_change_no_bit(int threads)
    {
        using var scope = NewDisposeScope();
        var (x_MI, w_OI, bias_O) = (randn(9, 300), randn(1001, 300), randn(1001));
        Assert.Equal(0, ReferenceModel.Distance(Multiply(x_MI, w_OI, bias_O, threads), Multiply(x_MI, w_OI, bias_O)));
    }

    [Fact]
    public void The_outer_half_of_an_adapter_is_added()
    {
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, 40], Gen.Int[1, 50]).Sample((rows, rank, outputs) =>
        {
            using var scope = NewDisposeScope();
            var (h_MR, b_RO, y_MO) = (randn(rows, rank), randn(rank, outputs), randn(rows, outputs));
            var expected_MO = y_MO + h_MR.mm(b_RO);
            RowKernel.AddOuter(RowSpan.Of(h_MR), RowSpan.Of(b_RO), RowSpan.Of(y_MO));
            Assert.True(ReferenceModel.Distance(y_MO, expected_MO) < 1e-4);
        }, iter: 100, threads: 1);
    }

    private static unsafe Tensor Multiply(Tensor x_MI, Tensor w_OI, Tensor? bias_O, int threads = 1)
    {
        var y_MO = zeros(x_MI.size(0), w_OI.size(0));
        RowKernel.Multiply(RowSpan.Of(x_MI), RowSpan.Of(w_OI), bias_O is null ? null : RowSpan.Pointer(bias_O), RowSpan.Of(y_MO), threads);
        return y_MO;
    }
}
