using InstructTune.Kernels;
using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Benchmarks.Serving;

/// <summary>Whether both programs compute the same model: greedy tokens in float32 on 50 prompts.</summary>
internal static class GreedyEquality
{
    private const int Tokens = 24;
    private const int Together = 10;

    public static (int Equal, int Prompts) Check(ServingModels models, PeerProcess peer, Team team)
    {
        var path = models.File(new ServingModel(ServingModel.SmolLm, GgufTensorType.F32));
        var prompts = Prompts(Tokenizer.Load(models.Tokenizer));
        using var ours = new OurModel(path, team);
        peer.Ask(new PeerRequest { Action = "load", Path = path, Threads = team.Size });
        var equal = 0;
        foreach (var some in prompts.Chunk(Together))
        {
            ours.Open(Together, 64, []);
            peer.Ask(new PeerRequest { Action = "contexts", Streams = Together, TokensPerStream = 64, Settings = new(FlashAttention: false, KvFloat16: false) });
            var theirs = peer.Ask(new PeerRequest { Action = "run", Prompts = some, Steps = Tokens - 1 });
            equal += ours.Run(some, Tokens - 1).Tokens.Zip(theirs.Tokens).Count(pair => pair.First.SequenceEqual(pair.Second));
        }

        return (equal, prompts.Count);
    }

    /// <summary>Fifty beginnings of texts, all different.</summary>
    public static IReadOnlyList<int[]> Prompts(Tokenizer tokenizer)
    {
        string[] beginnings = ["The", "A list of", "In the year", "When I", "She said that", "Once upon a time", "There was", "Repeat the word", "My favourite", "After all"];
        string[] followers = [" dog", " river and the sea", " house on the hill", " old man who had", " children were"];
        return [.. beginnings.SelectMany(b => followers.Select(f => tokenizer.Encode(b + f, addSpecialTokens: true)))];
    }
}
