using System.Globalization;
using InstructTune.Metrics.Text;

namespace InstructTune.Unit.Tests.Metrics.Text;

public sealed class PythonTextTests
{
    [Theory]
    [InlineData("\u0130stanbul", "i\u0307stanbul")]
    [InlineData("\u0391\u03A3", "\u03B1\u03C2")]
    [InlineData("\u0391\u03A3.", "\u03B1\u03C2.")]
    [InlineData("\u0391\u03A3\u0391", "\u03B1\u03C3\u03B1")]
    [InlineData("\u0391\u03A3.\u0391", "\u03B1\u03C3.\u03B1")]
    [InlineData("\u03A3", "\u03C3")]
    [InlineData("STRASSE TITLE", "strasse title")]
    [InlineData("\uD801\uDC00\u03A3", "\uD801\uDC28\u03C2")]
    public void Lower_case_is_that_of_python(string text, string lowered) => Assert.Equal(lowered, PythonText.Lower(text));

    [Theory]
    [InlineData("tr-TR")]
    [InlineData("de-DE")]
    [InlineData("")]
    public void Lower_case_does_not_depend_on_the_culture(string culture)
    {
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
        try
        {
            Assert.Equal("title iii", PythonText.Lower("TITLE III"));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Information_separators_and_no_break_spaces_are_white_space() =>
        Assert.Equal(["a", "b", "c", "d"], PythonText.Split("\u001Fa\u00A0b\u001Cc\u2003d "));

    [Fact]
    public void A_character_outside_the_basic_plane_counts_once() => Assert.Equal(2, PythonText.CodePointCount("\uD83D\uDE00\uD83D\uDE00"));
}
