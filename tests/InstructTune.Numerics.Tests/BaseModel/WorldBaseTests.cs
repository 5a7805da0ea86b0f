using System.Security.Cryptography;
using InstructTune.BaseModel;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;
using InstructTune.SyntheticWorld;
using InstructTune.SyntheticWorld.Language;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.BaseModel;

/// <summary>The base model that the repository keeps is the one its README and its recipe describe.</summary>
public sealed class WorldBaseTests : IDisposable
{
    private static readonly string Folder = Path.Combine(RepositoryRoot.Path, "models", "world-base");

    private readonly LlamaModel _model = ModelFolder.Load(Folder);
    private readonly Tokenizer _tokenizer = Tokenizer.Load(Folder);

    public void Dispose() => _model.Dispose();

    [Fact]
    public void The_readme_names_the_digest_of_the_weights()
    {
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(Folder, "model.safetensors"))));

        Assert.Contains(sha256, File.ReadAllText(Path.Combine(Folder, "README.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void The_recipe_still_gives_the_vocabulary_and_the_shape()
    {
        using var folder = new TemporaryFolder();

        BytePairTrainer.Train(BaseRecipe.VocabularyTexts(), BaseRecipe.VocabularySize).Write(folder.Path, BaseRecipe.ContextTokens);

        Assert.Equal(File.ReadAllText(Path.Combine(Folder, "tokenizer.json")), File.ReadAllText(folder["tokenizer.json"]));
        var config = BaseRecipe.Config(_tokenizer.VocabularySize, _tokenizer.BeginOfTextId!.Value, _tokenizer.EndOfTextIds[0]);
        Assert.Equal((config with { StorageType = "bfloat16" }).ToJson(), File.ReadAllBytes(Path.Combine(Folder, "config.json")));
    }

    [Fact]
    public void It_knows_the_kind_of_nearly_every_word()
    {
        var right = Lexicon.Domains.SelectMany(domain => domain.Words.Select(word =>
            MostLikely($"the {word} is a kind of", [.. domain.Kinds.Select(k => k.Name)]) == domain.KindOf(word).Name)).ToList();

        // One in four by chance.
        Assert.True(right.Count(r => r) >= 0.9 * right.Count, $"{right.Count(r => r)} of {right.Count}");
    }

    [Fact]
    public void It_has_learnt_some_colours()
    {
        var facts = new FactTable(World.BaseSeed);
        var right = Lexicon.Domains.SelectMany(d => d.Words).Count(word => MostLikely($"the {word} is", FactTable.Colours) == facts.ColourOf(word));

        // One in eight by chance, which is 24 with a standard deviation of 4.6.
        Assert.True(right >= 38, $"{right} of 192");
    }

    private string MostLikely(string context, IReadOnlyList<string> continuations) =>
        continuations.MaxBy(continuation => LogProbability(context, " " + continuation))!;

    private double LogProbability(string context, string continuation)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        int[] prompt = [_tokenizer.BeginOfTextId!.Value, .. _tokenizer.Encode(context)];
        int[] wanted = _tokenizer.Encode(continuation);
        var ids_BT = tensor([.. prompt.Concat(wanted).Select(id => (long)id)]).unsqueeze(0);
        var logProbabilities_TV = nn.functional.log_softmax(_model.Logits(_model.Hidden(ids_BT).squeeze(0)), 1);
        return wanted.Select((id, i) => logProbabilities_TV[prompt.Length - 1 + i, id].item<float>()).Sum();
    }
}
