using System.Text.Json;
using InstructTune.Modeling.Tokenization;
using InstructTune.Numerics.Tests.Training;

namespace InstructTune.Numerics.Tests.Tokenization;

/// <summary>Against ids of Hugging Face's own tokenizers; every folder that holds a tokenizer.json is a case.</summary>
public sealed class ReferenceTokenizerTests
{
    public static TheoryData<string> Folders
    {
        get
        {
            var data = new TheoryData<string>();
            var root = ReferenceOutputs.Root;
            if (!Directory.Exists(Path.Combine(root, "tokenizers")))
            {
                data.Add("tokenizers");
                return data;
            }

            foreach (var folder in Directory.EnumerateDirectories(Path.Combine(root, "tokenizers")).Order(StringComparer.Ordinal))
            {
                data.Add($"tokenizers/{Path.GetFileName(folder)}");
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Every_text_gives_the_reference_ids(string folder)
    {
        var tokenizer = Tokenizer.Load(ReferenceOutputs.Folder(folder));
        AssertAll(Texts(), Ids(folder, "expected_ids.json"), text => tokenizer.Encode(text, parseSpecial: true));
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Every_text_gives_the_reference_ids_with_the_models_own_tokens_around_it(string folder)
    {
        var tokenizer = Tokenizer.Load(ReferenceOutputs.Folder(folder));
        AssertAll(Texts(), Ids(folder, "expected_ids_special.json"), text => tokenizer.Encode(text, addSpecialTokens: true, parseSpecial: true));
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Every_sequence_of_ids_gives_the_reference_text(string folder)
    {
        var tokenizer = Tokenizer.Load(ReferenceOutputs.Folder(folder));
        AssertAll(Ids(folder, "expected_ids.json"), Read<string>(folder, "expected_text.json"), ids => tokenizer.Decode(ids, skipSpecial: false));
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_stream_gives_the_reference_text_without_half_characters(string folder)
    {
        var tokenizer = Tokenizer.Load(ReferenceOutputs.Folder(folder));
        AssertAll(Ids(folder, "expected_ids.json"), Read<string>(folder, "expected_text.json"), ids =>
        {
            var stream = new TextStream(tokenizer, skipSpecial: false);
            var deltas = ids.Select(stream.Append).ToList();
            Assert.DoesNotContain(deltas, d => d.Length > 0 && (char.IsHighSurrogate(d[^1]) || char.IsLowSurrogate(d[0])));
            return string.Concat(deltas) + stream.Flush();
        });
    }

    private static void AssertAll<TCase, TExpected>(TCase[] cases, TExpected[] expected, Func<TCase, TExpected> actual)
    {
        Assert.Equal(expected.Length, cases.Length);
        Assert.NotEmpty(cases);
        for (var i = 0; i < cases.Length; i++)
        {
            Assert.Equal(JsonSerializer.Serialize(expected[i]), JsonSerializer.Serialize(actual(cases[i])));
        }
    }

    private static string[] Texts() => Read<string>("tokenizers", "strings.json");

    private static int[][] Ids(string folder, string file) => Read<int[]>(folder, file);

    private static T[] Read<T>(string folder, string file) =>
        JsonSerializer.Deserialize<T[]>(File.ReadAllText(ReferenceOutputs.Folder(folder, file)))!;
}
