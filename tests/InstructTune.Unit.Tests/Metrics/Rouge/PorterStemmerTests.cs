using InstructTune.Metrics.Rouge;

namespace InstructTune.Unit.Tests.Metrics.Rouge;

public sealed class PorterStemmerTests
{
    [Theory]
    [InlineData("ties", "tie")]
    [InlineData("enjoy", "enjoy")]
    [InlineData("dying", "die")]
    [InlineData("news", "news")]
    [InlineData("innings", "inning")]
    [InlineData("skies", "sky")]
    [InlineData("died", "die")]
    [InlineData("flying", "fli")]
    [InlineData("geology", "geolog")]
    [InlineData("conditionally", "condit")]
    [InlineData("played", "play")]
    [InlineData("eyed", "eye")]
    [InlineData("hopefully", "hope")]
    [InlineData("possibly", "possibl")]
    public void Words_that_nltk_stems_in_its_own_way(string word, string stem) => Assert.Equal(stem, PorterStemmer.Stem(word));

    [Theory]
    [InlineData("caresses", "caress")]
    [InlineData("ponies", "poni")]
    [InlineData("agreed", "agre")]
    [InlineData("hopping", "hop")]
    [InlineData("hissing", "hiss")]
    [InlineData("filing", "file")]
    [InlineData("relational", "relat")]
    [InlineData("happy", "happi")]
    [InlineData("negative", "neg")]
    [InlineData("oscillators", "oscil")]
    [InlineData("adoption", "adopt")]
    [InlineData("cease", "ceas")]
    [InlineData("rate", "rate")]
    [InlineData("bled", "bled")]
    [InlineData("sing", "sing")]
    public void Words_that_every_version_stems_alike(string word, string stem) => Assert.Equal(stem, PorterStemmer.Stem(word));
}
