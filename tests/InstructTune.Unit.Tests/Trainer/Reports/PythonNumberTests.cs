using System.Globalization;
using CsCheck;
using InstructTune.Trainer.Reports;

namespace InstructTune.Unit.Tests.Trainer.Reports;

public sealed class PythonNumberTests
{
    // What Python 3 prints for repr of each.
    [Theory]
    [InlineData(0, "0.0")]
    [InlineData(1, "1.0")]
    [InlineData(-2.5, "-2.5")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(0.00024471741852423234, "0.00024471741852423234")]
    [InlineData(5e-05, "5e-05")]
    [InlineData(-1.25e-07, "-1.25e-07")]
    [InlineData(1e15, "1000000000000000.0")]
    [InlineData(1234567890123456, "1234567890123456.0")]
    [InlineData(1e16, "1e+16")]
    [InlineData(1.5e300, "1.5e+300")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.NegativeInfinity, "-Infinity")]
    public void Numbers_are_spelled_as_by_repr(double value, string expected) => Assert.Equal(expected, PythonNumber.Format(value));

    [Fact]
    public void Every_spelling_reads_back_as_the_number() =>
        Gen.Double[-1e20, 1e20].Sample(value => double.Parse(PythonNumber.Format(value), CultureInfo.InvariantCulture) == value);
}
