using InstructTune.SyntheticWorld.Language;

namespace InstructTune.Unit.Tests.SyntheticWorld;

public sealed class LexiconTests
{
    [Fact]
    public void No_word_belongs_to_two_kinds_and_none_is_the_name_of_a_kind_or_of_a_fact()
    {
        var words = Lexicon.Domains.SelectMany(d => d.Words)
            .Concat(Lexicon.Domains.SelectMany(d => d.Kinds).Select(k => k.Name))
            .Concat(FactTable.Colours).Concat(FactTable.Homes).ToList();

        Assert.Empty(words.GroupBy(w => w).Where(g => g.Count() > 1).Select(g => g.Key));
    }

    [Fact]
    public void Every_kind_has_as_many_words_so_that_no_label_is_likelier()
    {
        Assert.Equal(8, Lexicon.Domains.Count);
        Assert.All(Lexicon.Domains, d => Assert.Equal(4, d.Kinds.Count));
        Assert.All(Lexicon.Domains.SelectMany(d => d.Kinds), k => Assert.Equal(6, k.Words.Count));
    }
}
