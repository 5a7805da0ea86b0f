using System.Collections.Concurrent;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference.Load;

/// <summary>
/// The requests of a soak, and the right answer to each: from a second server that runs one sequence at a time, keeps no prefixes and
/// never replaces anything. Contents are numbered; every server has them under names of its own.
/// </summary>
internal sealed class SoakCatalogue : IAsyncDisposable
{
    public const int Contents = 6;
    public const int Variants = 24;

    private readonly InferenceHost _twin;
    private readonly ConcurrentDictionary<(int Content, int Variant), Lazy<Task<string>>> _answers = new();
    private readonly SemaphoreSlim _turn = new(1);

    private SoakCatalogue(InferenceHost twin) => _twin = twin;

    public IReadOnlyCollection<string> Errors => _twin.Log.Errors;

    public static async Task<SoakCatalogue> StartAsync()
    {
        var twin = await InferenceHost.StartAsync(("Inference:MaxRunning", "1"), ("Inference:PrefixBytes", "0"));
        await PublishAsync(twin);
        return new SoakCatalogue(twin);
    }

    /// <summary>A base and adapters of different ranks over it, the last content being the base itself.</summary>
    public static async Task<string[]> PublishAsync(InferenceHost host)
    {
        await host.PublishBaseAsync(InferenceHost.Base, seed: 1);
        var digests = new string[Contents];
        for (var i = 0; i < Contents; i++)
        {
            digests[i] = await host.PublishAdapterAsync(NameOf(i), InferenceHost.Base, seed: (ulong)(40 + i), rank: 2 + (3 * i));
        }
        return digests;
    }

    public static string NameOf(int content) => $"models/content/versions/{content}";

    /// <summary>Prompts that begin alike whatever the variant, so that adapters, tenants and requests meet in the cache.</summary>
    public static GenerateRequest Request(string model, int variant)
    {
        var beginning = string.Concat(Enumerable.Repeat($"{(char)('a' + (variant % 3))} b c d ", 12 + (variant % 5 * 6)));
        var request = variant % 2 == 0
            ? Requests.Greedy(model, beginning + variant, maxTokens: 4 + (variant * 3))
            : Requests.Sampled(model, beginning + variant, seed: (ulong)variant, maxTokens: 4 + (variant * 3));
        request.Sampling.N = variant % 7 == 3 ? 3 : 1;
        request.TopLogprobs = 1;
        request.IncludePromptLogprobs = variant % 11 == 5;
        return request;
    }

    public static string ContentOf(GenerateResponse response) => string.Join('|', response.Candidates.Select(candidate => ContentOf(candidate.Text, candidate.Tokens)));

    public static string ContentOf(string text, IEnumerable<TokenLogprob> tokens) =>
        $"{text} {string.Join(' ', tokens.Select(token => $"{token.TokenId}:{BitConverter.DoubleToInt64Bits(token.Logprob):x}"))}";

    public Task<string> RightAnswerAsync(int content, int variant) =>
        _answers.GetOrAdd((content, variant), key => new Lazy<Task<string>>(() => AskTwinAsync(key.Content, key.Variant))).Value;

    public ValueTask DisposeAsync()
    {
        _turn.Dispose();
        return _twin.DisposeAsync();
    }

    private async Task<string> AskTwinAsync(int content, int variant)
    {
        await _turn.WaitAsync();
        try
        {
            return ContentOf(await _twin.GenerateAsync(Request(NameOf(content), variant)));
        }
        finally
        {
            _turn.Release();
        }
    }
}
