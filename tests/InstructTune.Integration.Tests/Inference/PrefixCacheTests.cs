using InstructTune.Inference.Engine;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;

namespace InstructTune.Integration.Tests.Inference;

public sealed class TorchPrefixCacheTests() : PrefixCacheTests("torch");

public sealed class KernelPrefixCacheTests() : PrefixCacheTests("float32");

/// <summary>Prompts that begin alike are computed once, and nobody can tell.</summary>
public abstract class PrefixCacheTests(string weightFormat)
{
    private static readonly string _beginning = string.Concat(Enumerable.Repeat("q w r t ", 30));

    [Fact]
    public async Task With_the_cache_every_answer_has_the_bits_it_has_without()
    {
        GenerateRequest[] requests = [.. Mixed()];
        var score = Requests.Score(InferenceHost.Red, (_beginning, "a b"), (_beginning + "z", "c"), (_beginning, " d"));
        await using var without = await StartAsync(("Inference:PrefixBytes", "0"));
        var expected = await Task.WhenAll(requests.Select(without.GenerateAsync));
        var expectedScore = await without.ScoreAsync(score);
        await using var with = await StartAsync();

        var cold = await with.TogetherAsync(requests);
        var warm = await with.TogetherAsync(requests);
        var warmScore = await with.ScoreAsync(score);

        for (var i = 0; i < requests.Length; i++)
        {
            Assert.Equal(Content(expected[i]), Content(cold[i]));
            Assert.Equal(Content(expected[i]), Content(warm[i]));
        }
        Assert.Equal(expectedScore.Scores, warmScore.Scores);
        Assert.All(expected, answer => Assert.Equal(0, answer.Usage.CachedPromptTokens));
        Assert.All(warm, answer => Assert.True(answer.Usage.CachedPromptTokens >= 64));
    }

    [Fact]
    public async Task Several_continuations_compute_their_prompt_once()
    {
        await using var host = await StartAsync();
        await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "load", maxTokens: 1));
        var alone = Requests.Sampled(InferenceHost.Base, _beginning, seed: 9, maxTokens: 1);
        var before = host.Engine.Counters.Rows;
        var prompt = (await host.GenerateAsync(alone)).Usage.PromptTokens;
        Assert.Equal(prompt, host.Engine.Counters.Rows - before);
        var many = Requests.Sampled(InferenceHost.Base, "other " + _beginning, seed: 9, maxTokens: 1);
        many.Sampling.N = 8;

        before = host.Engine.Counters.Rows;
        var answer = await host.GenerateAsync(many);

        var shared = (answer.Usage.PromptTokens - 1) / 64 * 64;
        Assert.Equal(answer.Usage.PromptTokens + (7 * (answer.Usage.PromptTokens - shared)), host.Engine.Counters.Rows - before);
        Assert.Equal(8, answer.Candidates.Count);
    }

    [Fact]
    public async Task Choices_after_prompts_that_begin_alike_compute_the_beginning_once()
    {
        await using var host = await StartAsync();
        var score = Requests.Score(InferenceHost.Base, [.. Enumerable.Range(0, 10).Select(i => ($"{_beginning}{(char)('a' + i)}", " yes"))]);
        await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "load", maxTokens: 1));
        var before = host.Engine.Counters.Rows;

        var scores = (await host.ScoreAsync(score)).Scores;

        var prompt = scores[0].PromptTokenCount;
        Assert.True(host.Engine.Counters.Rows - before < (2 * prompt) + (10 * 64), $"{host.Engine.Counters.Rows - before} rows for ten prompts of {prompt} tokens.");
    }

    [Fact]
    public async Task Tenants_and_salts_share_nothing_and_who_asks_for_it_reads_nothing()
    {
        await using var host = await StartAsync();
        var request = Requests.Greedy(InferenceHost.Base, _beginning, maxTokens: 2);
        request.Tenant = "ann";
        await host.GenerateAsync(request);

        Assert.Equal(0, await CachedAsync(changed => changed.Tenant = "bob"));
        Assert.Equal(0, await CachedAsync(changed => changed.CacheSalt = "salt"));
        Assert.Equal(0, await CachedAsync(changed => changed.SkipPrefixCache = true));
        Assert.Equal(0, await CachedAsync(changed => changed.IncludePromptLogprobs = true));
        Assert.Equal(0, await CachedAsync(changed => changed.Model = InferenceHost.Red));
        Assert.True(await CachedAsync(_ => { }) >= 64);

        async Task<int> CachedAsync(Action<GenerateRequest> change)
        {
            var changed = request.Clone();
            change(changed);
            return (await host.GenerateAsync(changed)).Usage.CachedPromptTokens;
        }
    }

    [Fact]
    public async Task An_operator_can_hide_what_was_cached_from_callers_and_still_count_it()
    {
        await using var host = await StartAsync(("Inference:HidesCachedTokens", "true"));
        await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, _beginning, maxTokens: 1));

        var answer = await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, _beginning, maxTokens: 1));

        var score = await host.ScoreAsync(Requests.Score(InferenceHost.Base, (_beginning, "x")));

        Assert.Equal(0, answer.Usage.CachedPromptTokens + score.Usage.CachedPromptTokens);
        Assert.True((await host.StatsAsync()).PrefixHitCount >= 128);
    }

    [Fact]
    public async Task New_content_under_an_old_name_never_meets_the_prefixes_of_the_old()
    {
        await using var host = await StartAsync();
        var request = Requests.Greedy(InferenceHost.Red, _beginning, maxTokens: 16);
        var random = new Random(5);
        Dictionary<ulong, string> fresh = [];

        for (var i = 0; i < 12; i++)
        {
            var seed = (ulong)random.Next(100, 104);
            await host.PublishAdapterAsync(InferenceHost.Red, InferenceHost.Base, seed);
            var answer = string.Join(' ', (await host.GenerateAsync(request)).TokenIds);
            Assert.Equal(fresh.TryAdd(seed, answer) ? answer : fresh[seed], answer);
        }

        Assert.Equal(fresh.Count, fresh.Values.Distinct().Count());
    }

    [Fact]
    public async Task Keys_without_the_adapter_would_give_a_wrong_answer()
    {
        await using var host = await InferenceHost.StartAsync(
            services => services.AddSingleton(new PrefixKeys([1], includesAdapter: false)), ("Inference:WeightFormat", weightFormat));
        await host.PublishBaseAsync(InferenceHost.Base, seed: 1);
        await host.PublishAdapterAsync(InferenceHost.Red, InferenceHost.Base, seed: 2);
        await host.PublishAdapterAsync(InferenceHost.Blue, InferenceHost.Base, seed: 3);
        var blue = Requests.Greedy(InferenceHost.Blue, _beginning, maxTokens: 16);
        var right = await host.GenerateAsync(Alone(blue));

        await host.GenerateAsync(Requests.Greedy(InferenceHost.Red, _beginning, maxTokens: 2));
        var wrong = await host.GenerateAsync(blue);

        Assert.NotEqual(right.TokenIds, wrong.TokenIds);

        static GenerateRequest Alone(GenerateRequest request)
        {
            var alone = request.Clone();
            alone.CacheSalt = "alone";
            return alone;
        }
    }

    [Fact]
    public async Task A_small_cache_and_a_cache_that_slots_take_away_change_no_answer()
    {
        GenerateRequest[] requests = [.. Mixed()];
        await using var ample = await StartAsync();
        var expected = await Task.WhenAll(requests.Select(ample.GenerateAsync));
        // A token takes 512 bytes: room for 20 blocks of 64, two of them for prefixes.
        await using var scarce = await StartAsync(("Inference:CacheBytes", "655360"), ("Inference:PrefixBytes", "65536"));

        var answers = await scarce.TogetherAsync(requests);

        Assert.Equal(expected.Select(Content), answers.Select(Content));
    }

    private async Task<InferenceHost> StartAsync(params (string, string)[] settings) =>
        await InferenceHost.StartWithModelsAsync([("Inference:WeightFormat", weightFormat), .. settings]);

    private static string Content(GenerateResponse response) =>
        $"{response.Text} {string.Join(' ', response.TokenIds)} {string.Join(' ', response.Candidates.SelectMany(c => c.Tokens).Select(token => token.Logprob))}";

    private static IEnumerable<GenerateRequest> Mixed() =>
        from model in new[] { InferenceHost.Base, InferenceHost.Red, InferenceHost.Blue }
        from end in new[] { "", "a", "and so on" }
        from request in new[]
        {
            Requests.Greedy(model, _beginning + end, maxTokens: 12), Requests.Sampled(model, _beginning + end, seed: 3, maxTokens: 20),
        }
        select WithLogprobs(request);

    private static GenerateRequest WithLogprobs(GenerateRequest request)
    {
        request.TopLogprobs = 3;
        return request;
    }
}
