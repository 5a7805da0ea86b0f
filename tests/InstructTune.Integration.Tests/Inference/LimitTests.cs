using Google.Rpc;
using Grpc.Core;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>
/// Every limit of the API at its borders. Nothing is loaded here: a request that passes the limits ends at a model that does not exist.
/// </summary>
public sealed class LimitTests : IAsyncLifetime
{
    private const string Model = "models/nobody/versions/1";

    private InferenceHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await InferenceHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    public static TheoryData<string, double, double> Numbers => new()
    {
        { "sampling.temperature", 0, 2 },
        { "sampling.top_p", double.Epsilon, 1 },
        { "sampling.min_p", 0, 1 },
        { "sampling.repetition_penalty", double.Epsilon, 10 },
        { "sampling.presence_penalty", -2, 2 },
        { "sampling.frequency_penalty", -2, 2 },
        { "sampling.logit_bias", -100, 100 },
    };

    public static TheoryData<string, int, int> Integers => new()
    {
        { "sampling.n", 1, 16 },
        { "sampling.top_k", 0, int.MaxValue },
        { "sampling.min_tokens", 0, int.MaxValue },
        { "top_logprobs", 0, 20 },
        { "max_output_tokens", 0, int.MaxValue },
        { "truncate_prompt_tokens", 0, int.MaxValue },
        { "priority", 0, 3 },
    };

    public static TheoryData<string, int, int> Counts => new()
    {
        { "stop_sequences", 0, 16 },
        { "stop_token_ids", 0, 16 },
        { "logprob_token_ids", 0, 128 },
        { "sampling.logit_bias", 0, 1024 },
        { "sampling.allowed_token_ids", 0, 1024 },
        { "stop_sequences[0]", 1, 64 },
        { "tenant", 0, 63 },
        { "cache_salt", 0, 64 },
        { "conversation.turns", 1, 1024 },
        { "items", 1, 256 },
    };

    [Theory]
    [MemberData(nameof(Numbers))]
    public async Task Numbers_are_held_to_their_limits(string field, double least, double most)
    {
        foreach (var value in new[] { least, most, (least + most) / 2 })
        {
            Assert.Null(await RefusedAsync(With(field, value)));
        }
        foreach (var value in new[] { Math.BitDecrement(least), Math.BitIncrement(most), -1e9, 1e9, double.NaN, double.PositiveInfinity, double.NegativeInfinity })
        {
            Assert.StartsWith(field, await RefusedAsync(With(field, value)), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Integers))]
    public async Task Integers_are_held_to_their_limits(string field, int least, int most)
    {
        Assert.Null(await RefusedAsync(With(field, least)));
        Assert.Null(await RefusedAsync(With(field, most)));
        foreach (var value in new[] { (long)least - 1, (long)most + 1, int.MinValue, -1 }.Where(value => value is >= int.MinValue and <= int.MaxValue && (value < least || value > most)))
        {
            Assert.Equal(field, await RefusedAsync(With(field, (int)value)));
        }
    }

    [Theory]
    [MemberData(nameof(Counts))]
    public async Task Lists_and_texts_are_held_to_their_limits(string field, int least, int most)
    {
        Assert.Null(await RefusedAsync(OfLength(field, least)));
        Assert.Null(await RefusedAsync(OfLength(field, most)));
        Assert.StartsWith(field, await RefusedAsync(OfLength(field, most + 1)), StringComparison.Ordinal);
        if (least > 0)
        {
            Assert.StartsWith(field, await RefusedAsync(OfLength(field, least - 1)), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(8 * 1024 * 1024, true)]
    [InlineData((8 * 1024 * 1024) - 4096, false)]
    public async Task A_message_has_at_most_8_MiB(int characters, bool isRefused)
    {
        var exception = await Assert.ThrowsAsync<RpcException>(() => _host.GenerateAsync(Requests.Greedy(Model, new string('x', characters))));

        Assert.Equal(isRefused ? StatusCode.ResourceExhausted : StatusCode.NotFound, exception.StatusCode);
    }

    [Theory]
    [InlineData(16 * 1024, false)]
    [InlineData(40 * 1024, true)]
    public async Task Headers_have_at_most_32_KiB(int characters, bool isRefused)
    {
        var headers = new Metadata { { "x-long", new string('x', characters) } };

        var exception = await Assert.ThrowsAsync<RpcException>(
            () => _host.Client.GenerateAsync(Requests.Greedy(Model, "x"), headers, cancellationToken: TestContext.Current.CancellationToken).ResponseAsync);

        Assert.Equal(isRefused, exception.StatusCode != StatusCode.NotFound);
        Assert.Equal(0, isRefused ? _host.Registry.Questions : 0);
        Assert.Null(await RefusedAsync(Requests.Greedy(Model, "x")));
    }

    /// <summary>The first field that is refused, or null when none is.</summary>
    private async Task<string?> RefusedAsync(object request)
    {
        var call = request is GenerateRequest generate ? _host.GenerateAsync(generate) : (Task)_host.ScoreAsync((ScoreRequest)request);
        var exception = await Assert.ThrowsAsync<RpcException>(() => call);
        if (exception.StatusCode == StatusCode.NotFound)
        {
            return null;
        }
        Assert.Equal(StatusCode.InvalidArgument, exception.StatusCode);
        return Assert.Single(exception.GetRpcStatus()!.GetDetail<BadRequest>().FieldViolations).Field;
    }

    private static GenerateRequest With(string field, double value)
    {
        var request = Requests.Greedy(Model, "x", maxTokens: 0);
        _ = field switch
        {
            "sampling.temperature" => request.Sampling.Temperature = value,
            "sampling.top_p" => request.Sampling.TopP = value,
            "sampling.min_p" => request.Sampling.MinP = value,
            "sampling.repetition_penalty" => request.Sampling.RepetitionPenalty = value,
            "sampling.presence_penalty" => request.Sampling.PresencePenalty = value,
            "sampling.frequency_penalty" => request.Sampling.FrequencyPenalty = value,
            _ => request.Sampling.LogitBias[3] = value,
        };
        return request;
    }

    private static GenerateRequest With(string field, int value)
    {
        var request = Requests.Greedy(Model, "x", maxTokens: 0);
        _ = field switch
        {
            "sampling.n" => request.Sampling.N = value,
            "sampling.top_k" => request.Sampling.TopK = value,
            "sampling.min_tokens" => request.Sampling.MinTokens = value,
            "top_logprobs" => request.TopLogprobs = value,
            "max_output_tokens" => request.MaxOutputTokens = value,
            "truncate_prompt_tokens" => request.TruncatePromptTokens = value,
            _ => (int)(request.Priority = (Priority)value),
        };
        return request;
    }

    private static object OfLength(string field, int count)
    {
        var request = Requests.Greedy(Model, "x", maxTokens: 0);
        switch (field)
        {
            case "stop_sequences": request.StopSequences.Add(Enumerable.Range(0, count).Select(i => $"s{i}")); break;
            case "stop_sequences[0]": request.StopSequences.Add(new string('s', count)); break;
            case "stop_token_ids": request.StopTokenIds.Add(Enumerable.Range(0, count)); break;
            case "logprob_token_ids": request.LogprobTokenIds.Add(Enumerable.Range(0, count)); break;
            case "sampling.allowed_token_ids": request.Sampling.AllowedTokenIds.Add(Enumerable.Range(0, count)); break;
            case "sampling.logit_bias": request.Sampling.LogitBias.Add(Enumerable.Range(0, count).ToDictionary(i => i, _ => 1.0)); break;
            case "tenant": request.Tenant = new string('t', count); break;
            case "cache_salt": request.CacheSalt = new string('t', count); break;
            case "conversation.turns":
                request.Conversation = new Conversation();
                request.Conversation.Turns.Add(Enumerable.Range(0, count).Select(i => new Conversation.Types.Turn { Role = i % 2 == 0 ? "user" : "assistant", Text = "t" }));
                break;
            default: return Requests.Score(Model, [.. Enumerable.Repeat(("a", "b"), count)]);
        }
        return request;
    }
}
