using System.Diagnostics.Metrics;
using InstructTune.Inference;
using InstructTune.Inference.Models;
using InstructTune.Integration.Tests.Inference.Load;
using InstructTune.Kernels;
using InstructTune.Modeling.Serving;
using InstructTune.V1;
using static TorchSharp.torch;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>Adapters that come, go and change under their names, over memory for two.</summary>
[Collection(Alone.Name)]
public sealed class AdapterChurnTests
{
    private const int Contents = 8;

    private static readonly string _prompt = string.Concat(Enumerable.Repeat("a b c d ", 20));

    [Theory]
    [InlineData("torch", 960_000, 500)]
    [InlineData("float32", 890_000, 100)]
    public async Task A_thousand_loads_over_memory_for_two_adapters_give_no_wrong_answer(string weightFormat, int modelBytes, int rounds)
    {
        // The base with its cache takes 0.82 MB, an adapter of rank 8 0.026 MB, and twice that padded for libtorch; room for steps comes on top.
        var stepBytes = weightFormat == "torch"
            ? TorchStepMemory.SizeBytes(TinyModel.Config(512), new InferenceOptions().Limits, 512)
            : KernelPass.SizeBytes(TinyModel.Config(512), 256, 16, 1);
        await using var host = await InferenceHost.StartAsync(
            ("Inference:WeightFormat", weightFormat), ("Inference:ModelBytes", $"{modelBytes + stepBytes}"), ("Inference:CacheBytes", "262144"));
        await host.PublishBaseAsync(InferenceHost.Base, seed: 1);
        List<(string Sha256, string Answer)> contents = [];
        for (var i = 0; i < Contents; i++)
        {
            var name = $"models/content/versions/{i}";
            var sha256 = await host.PublishAdapterAsync(name, InferenceHost.Base, seed: (ulong)(10 + i));
            contents.Add((sha256, await AnswerAsync(host, name)));
        }
        Assert.Equal(Contents, contents.Select(content => content.Answer).Distinct().Count());
        var tensors = Tensor.TotalCount;

        // Two callers, each with a name of its own whose content changes all the time.
        await Task.WhenAll(Enumerable.Range(0, 2).Select(async caller =>
        {
            var random = new Random(caller);
            for (var round = 0; round < rounds; round++)
            {
                var (sha256, answer) = contents[random.Next(Contents)];
                host.Registry.Put($"models/mine/versions/{caller}", sha256, InferenceHost.Base);
                Assert.Equal(answer, await AnswerAsync(host, $"models/mine/versions/{caller}"));
            }
        }));

        Assert.InRange((await host.StatsAsync()).ResidentAdapters, 1, 2);
        await host.IsIdleAsync();
        Assert.InRange(Tensor.TotalCount - tensors, -100, 100);
    }

    [Fact]
    public async Task The_memory_that_is_counted_is_the_memory_that_is_allocated()
    {
        var before = KernelMemory.SizeBytes;
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:WeightFormat", "float32"), ("Inference:CacheBytes", "4194304"));
        foreach (var name in new[] { InferenceHost.Base, InferenceHost.Red, InferenceHost.Blue })
        {
            await host.Client.LoadModelVersionAsync(new LoadModelVersionRequest { Name = name }, cancellationToken: TestContext.Current.CancellationToken);
        }
        var loaded = KernelMemory.SizeBytes - before;

        Assert.InRange((double)loaded / (await host.StatsAsync()).ModelBytes, 0.95, 1.05);
        // The longest prompts, alone and side by side, with reports of all of their tokens, find the room that was made for them.
        GenerateRequest[] longest = [.. Enumerable.Range(0, 6).Select(i => Requests.Greedy(i % 2 == 0 ? InferenceHost.Red : InferenceHost.Base, string.Concat(Enumerable.Repeat($"{i} b c d ", 45)), maxTokens: 4))];
        Array.ForEach(longest, request => request.IncludePromptLogprobs = true);
        await host.TogetherAsync(longest);
        Assert.Equal(loaded, KernelMemory.SizeBytes - before);
    }

    [Fact]
    public async Task A_hundred_first_requests_for_an_adapter_cause_one_load_and_others_go_on()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var running = Requests.Greedy(InferenceHost.Blue, "go on", maxTokens: 200);
        running.Sampling.IgnoreEos = true;
        var expected = (await host.GenerateAsync(running)).TokenIds;
        var other = host.GenerateAsync(running);
        var loads = 0L;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, own) =>
            {
                if (instrument.Name == "instructtune.inference.adapter_loads")
                {
                    own.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref loads, count));
        listener.Start();

        var first = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => host.GenerateAsync(Requests.Greedy(InferenceHost.Red, "first", maxTokens: 2))));

        Assert.Single(first.Select(answer => answer.Text).Distinct());
        Assert.Equal(expected, (await other).TokenIds);
        Assert.Equal((1, 2), (Interlocked.Read(ref loads), (await host.StatsAsync()).ResidentAdapters));
    }

    [Fact]
    public async Task Adapters_of_several_ranks_share_a_step_and_answer_as_alone()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        int[] ranks = [1, 4, 8, 16, 33, 64];
        foreach (var rank in ranks)
        {
            await host.PublishAdapterAsync(NameOf(rank), InferenceHost.Base, seed: (ulong)rank, rank);
        }
        List<GenerateResponse> alone = [];
        foreach (var rank in ranks)
        {
            alone.Add(await host.GenerateAsync(Requests.Greedy(NameOf(rank), "ranks", maxTokens: 20)));
        }

        var together = await host.TogetherAsync([.. ranks.Select(rank => Requests.Greedy(NameOf(rank), "ranks", maxTokens: 20))]);

        Assert.Equal(alone.Select(answer => answer.TokenIds), together.Select(answer => answer.TokenIds));

        static string NameOf(int rank) => $"models/ranks/versions/{rank}";
    }

    [Theory]
    [InlineData("torch")]
    [InlineData("float32")]
    public async Task More_than_a_hundred_adapters_in_memory_share_steps_and_answer_as_alone(string weightFormat)
    {
        const int Count = 128;
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:WeightFormat", weightFormat), ("Inference:MaxRunning", "64"));
        List<string> alone = [];
        for (var i = 0; i < Count; i++)
        {
            await host.PublishAdapterAsync(NameOf(i), InferenceHost.Base, seed: (ulong)(100 + i), rank: 1 + (i % 20));
            alone.Add(await AnswerAsync(host, NameOf(i)));
        }
        Assert.Equal(Count, (await host.StatsAsync()).ResidentAdapters);

        foreach (var half in Enumerable.Range(0, Count).Chunk(Count / 2))
        {
            var steps = host.Engine.Counters.Steps;
            var together = await host.TogetherAsync([.. half.Select(i => Requests.Greedy(NameOf(i), _prompt, maxTokens: 8))]);
            Assert.Equal(half.Select(i => alone[i]), together.Select(answer => string.Join(' ', answer.TokenIds)));
            Assert.InRange(host.Engine.Counters.Steps - steps, 8, half.Length * 8);
        }
        Assert.InRange(alone.Distinct().Count(), Count * 9 / 10, Count);

        static string NameOf(int index) => $"models/crowd/versions/{index}";
    }

    [Fact]
    public async Task An_adapter_of_a_higher_rank_joins_what_is_left_of_many()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        List<string> answers = [];
        for (var i = 0; i < 5; i++)
        {
            await host.PublishAdapterAsync(NameOf(i), InferenceHost.Base, seed: (ulong)(20 + i), rank: 4);
            answers.Add(await AnswerAsync(host, NameOf(i)));
        }
        await host.PublishAdapterAsync(NameOf(9), InferenceHost.Base, seed: 30, rank: 40);

        // Those in the first places leave; the higher rank comes into one of them.
        for (var i = 0; i < 4; i++)
        {
            await host.Client.UnloadModelVersionAsync(new UnloadModelVersionRequest { Name = NameOf(i) }, cancellationToken: TestContext.Current.CancellationToken);
        }
        var higher = await AnswerAsync(host, NameOf(9));

        Assert.DoesNotContain(higher, answers);
        Assert.Equal(answers[4], await AnswerAsync(host, NameOf(4)));
        Assert.Equal(answers[0], await AnswerAsync(host, NameOf(0)));

        static string NameOf(int index) => $"models/many/versions/{index}";
    }

    [Fact]
    public async Task Replacing_a_full_model_under_an_alias_drops_no_request()
    {
        const string latest = "models/base/versions/latest";
        await using var host = await InferenceHost.StartWithModelsAsync();
        await host.PublishBaseAsync("models/base/versions/2", seed: 31);
        var expected = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in new[] { InferenceHost.Base, "models/base/versions/2" })
        {
            expected[name] = await AnswerAsync(host, name);
        }
        using var done = new CancellationTokenSource();
        var traffic = Enumerable.Range(0, 4).Select(async _ =>
        {
            HashSet<string> seen = [];
            while (!done.IsCancellationRequested)
            {
                var answer = await host.GenerateAsync(Requests.Greedy(latest, _prompt, maxTokens: 8));
                Assert.Equal(expected[answer.ModelVersion], string.Join(' ', answer.TokenIds));
                seen.Add(answer.ModelVersion);
            }
            return seen;
        }).ToArray();

        for (var i = 0; i < 30; i++)
        {
            host.Registry.Put(i % 2 == 0 ? InferenceHost.Base : "models/base/versions/2", host.Registry.ContentOf(i % 2 == 0 ? InferenceHost.Base : "models/base/versions/2"));
            await host.GenerateAsync(Requests.Greedy(latest, "between", maxTokens: 1));
        }
        await done.CancelAsync();
        var versions = (await Task.WhenAll(traffic)).SelectMany(seen => seen).Distinct();

        Assert.Equal(2, versions.Count());
    }

    private static async Task<string> AnswerAsync(InferenceHost host, string model) =>
        string.Join(' ', (await host.GenerateAsync(Requests.Greedy(model, _prompt, maxTokens: 8))).TokenIds);
}
