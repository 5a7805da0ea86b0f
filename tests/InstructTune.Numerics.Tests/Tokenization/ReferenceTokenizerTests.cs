using InstructTune.Modeling.Tokenization;
using InstructTune.Testing;

namespace InstructTune.Numerics.Tests.Tokenization;

/// <summary>Against ids of Hugging Face's own tokenizers; every folder that holds a tokenizer file is a case, in each form that it holds.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class ReferenceTokenizerTests
{
    [Theory]
    [MemberData(nameof(ReferenceTokenizers.Cases), MemberType = typeof(ReferenceTokenizers))]
    public void Every_text_gives_the_reference_ids(string folder, string form)
    {
        var tokenizer = ReferenceTokenizers.Load(folder, form);
        AssertAll("tokens encode", folder, form, Texts(), Ids(folder, "expected_ids.json"), text => tokenizer.Encode(text, parseSpecial: true));
    }

    [Theory]
    [MemberData(nameof(ReferenceTokenizers.Cases), MemberType = typeof(ReferenceTokenizers))]
    public void Every_text_gives_the_reference_ids_with_the_models_own_tokens_around_it(string folder, string form)
    {
        var tokenizer = ReferenceTokenizers.Load(folder, form);
        AssertAll(
            "tokens encode special", folder, form, Texts(), Ids(folder, "expected_ids_special.json"),
            text => tokenizer.Encode(text, addSpecialTokens: true, parseSpecial: true));
    }

    [Theory]
    [MemberData(nameof(ReferenceTokenizers.Cases), MemberType = typeof(ReferenceTokenizers))]
    public void Every_sequence_of_ids_gives_the_reference_text(string folder, string form)
    {
        var tokenizer = ReferenceTokenizers.Load(folder, form);
        AssertAll(
            "tokens decode", folder, form, Ids(folder, "expected_ids.json"), Expected(folder), ids => tokenizer.Decode(ids, skipSpecial: false));
    }

    [Theory]
    [MemberData(nameof(ReferenceTokenizers.Cases), MemberType = typeof(ReferenceTokenizers))]
    public void A_stream_gives_the_reference_text_without_half_characters(string folder, string form)
    {
        var tokenizer = ReferenceTokenizers.Load(folder, form);
        AssertAll("tokens stream", folder, form, Ids(folder, "expected_ids.json"), Expected(folder), ids =>
        {
            var stream = new TextStream(tokenizer, skipSpecial: false);
            var deltas = ids.Select(stream.Append).ToList();
            Assert.DoesNotContain(deltas, d => d.Length > 0 && (char.IsHighSurrogate(d[^1]) || char.IsLowSurrogate(d[0])));
            return string.Concat(deltas) + stream.Flush();
        });
    }

    [Theory]
    [MemberData(nameof(ReferenceTokenizers.Cases), MemberType = typeof(ReferenceTokenizers))]
    public void A_tokenizer_made_from_its_own_definition_gives_the_reference_ids(string folder, string form)
    {
        var again = Tokenizer.Create(ReferenceTokenizers.Load(folder, form).ToDefinition());
        AssertAll("tokens definition", folder, form, Texts(), Ids(folder, "expected_ids.json"), text => again.Encode(text, parseSpecial: true));
    }

    private static void AssertAll<TCase, TExpected>(
        string family, string folder, string form, TCase[] cases, TExpected[] expected, Func<TCase, TExpected> actual)
    {
        Assert.Equal(expected.Length, cases.Length);
        Assert.NotEmpty(cases);
        var wrong = new List<int>();
        for (var i = 0; i < cases.Length; i++)
        {
            if (!ParityLog.IsEqual(family, $"{folder}/{form}/{i}", Same(expected[i], actual(cases[i]))))
            {
                wrong.Add(i);
            }
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} of {cases.Length} differ, first {string.Join(", ", wrong.Take(5))}");
    }

    private static bool Same<T>(T expected, T actual) =>
        expected is int[] left && actual is int[] right ? left.AsSpan().SequenceEqual(right) : EqualityComparer<T>.Default.Equals(expected, actual);

    private static string[] Texts() => ReferenceTokenizers.Read<string>("tokenizers", "strings.json");

    private static string[] Expected(string folder) => ReferenceTokenizers.Read<string>(folder, "expected_text.json");

    private static int[][] Ids(string folder, string file) => ReferenceTokenizers.Read<int[]>(folder, file);
}
