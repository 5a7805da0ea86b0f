using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>Steps of libtorch.</summary>
public sealed class TorchStepTests() : SharedStepTests("torch");

/// <summary>Steps of our kernels, with weights that change answers, but never by who runs beside whom.</summary>
public sealed class KernelStepTests() : SharedStepTests("int8");

/// <summary>What requests that share steps must not notice.</summary>
public abstract class SharedStepTests(string weightFormat) : IAsyncLifetime
{
    private const string OtherBase = "models/other/versions/1";

    private static readonly string[] _prompts =
    [
        "one",
        "a cat sat on the mat and",
        string.Concat(Enumerable.Repeat("the long way home is never short ", 9)),
        "zebra",
    ];

    private InferenceHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await InferenceHost.StartWithModelsAsync(("Inference:WeightFormat", weightFormat));
        await _host.PublishBaseAsync(OtherBase, seed: 77);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Requests_beside_others_have_the_tokens_they_have_alone()
    {
        GenerateRequest[] requests = [.. Mixed()];
        List<GenerateResponse> alone = [];
        foreach (var request in requests)
        {
            alone.Add(await _host.GenerateAsync(request));
        }
        var stepsAlone = _host.Engine.Counters.Steps;

        var together = await _host.TogetherAsync(requests);
        var stepsTogether = _host.Engine.Counters.Steps - stepsAlone;

        for (var i = 0; i < requests.Length; i++)
        {
            Assert.Equal(alone[i].TokenIds, together[i].TokenIds);
            Assert.Equal(alone[i].Text, together[i].Text);
        }
        Assert.True(stepsTogether * 3 < stepsAlone, $"{stepsTogether} steps together, {stepsAlone} alone.");
    }

    [Fact]
    public async Task Scores_beside_others_have_the_bits_they_have_alone()
    {
        ScoreRequest[] requests =
        [
            Requests.Score(InferenceHost.Base, (_prompts[2], " and long"), ("a", "bc")),
            Requests.Score(InferenceHost.Red, ("where is the", " river")),
            Requests.Score(InferenceHost.Blue, ("where is the", " river")),
        ];
        List<ScoreResponse> alone = [];
        foreach (var request in requests)
        {
            alone.Add(await _host.ScoreAsync(request));
        }

        var texts = Mixed().Select(_host.GenerateAsync).ToArray();
        var together = await Task.WhenAll(requests.Select(_host.ScoreAsync));
        await Task.WhenAll(texts);

        Assert.Equal(alone.Select(score => score.Scores), together.Select(score => score.Scores));
        Assert.NotEqual(together[1].Scores[0].Logprob, together[2].Scores[0].Logprob);
    }

    [Fact]
    public async Task Two_adapters_and_their_base_share_one_step_and_differ()
    {
        string[] models = [InferenceHost.Base, InferenceHost.Red, InferenceHost.Blue];
        // Loads first, so that only texts are counted.
        await Task.WhenAll(models.Select(model => _host.GenerateAsync(Requests.Greedy(model, "go", maxTokens: 1))));
        var before = _host.Engine.Counters.Steps;

        var answers = await _host.TogetherAsync([.. models.Select(model => Requests.Greedy(model, "the same words", maxTokens: 20))]);

        // The step that was planned when the first of them came does not have the others.
        Assert.InRange(_host.Engine.Counters.Steps - before, 20, 21);
        Assert.Equal(3, answers.Select(answer => string.Join(' ', answer.TokenIds)).Distinct().Count());
    }

    [Fact]
    public async Task Adapters_that_come_later_do_not_change_the_tokens_of_those_before()
    {
        var request = Requests.Sampled(InferenceHost.Red, "as it was in the beginning", seed: 3, maxTokens: 40);
        var score = Requests.Score(InferenceHost.Red, ("as it was", " in the beginning"));
        var (text, scored) = (await _host.GenerateAsync(request), await _host.ScoreAsync(score));

        for (var i = 0; i < 5; i++)
        {
            var name = $"models/more/versions/{i}";
            await _host.PublishAdapterAsync(name, InferenceHost.Base, seed: (ulong)(50 + i), rank: 8 + (i * 7));
            await _host.GenerateAsync(Requests.Greedy(name, "load", maxTokens: 2));

            Assert.Equal(text.TokenIds, (await _host.GenerateAsync(request)).TokenIds);
            Assert.Equal(scored.Scores, (await _host.ScoreAsync(score)).Scores);
        }
    }

    private static IEnumerable<GenerateRequest> Mixed() =>
        from model in new[] { InferenceHost.Base, InferenceHost.Red, InferenceHost.Blue, OtherBase }
        from entry in _prompts.Index()
        from request in new[]
        {
            Requests.Greedy(model, entry.Item, maxTokens: 16 + entry.Index),
            Requests.Sampled(model, entry.Item, seed: (ulong)entry.Index, maxTokens: 12 + entry.Index),
        }
        select request;
}
