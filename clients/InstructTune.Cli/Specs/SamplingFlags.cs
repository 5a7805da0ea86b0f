using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Commands;
using InstructTune.V1;

namespace InstructTune.Cli.Specs;

/// <summary>How text is generated; shared by generate and chat.</summary>
internal sealed class SamplingFlags
{
    private const int DefaultTokens = 256;

    private readonly Option<double?> _temperature = new("--temperature") { Description = "0 always takes the likeliest token (server's default: 1).", HelpName = "T" };
    private readonly Option<double?> _topP = new("--top-p") { Description = "Draw from the likeliest tokens up to this probability.", HelpName = "P" };
    private readonly Option<int?> _topK = new("--top-k") { Description = "Draw from this many tokens at most.", HelpName = "K" };
    private readonly Option<ulong?> _seed = new("--seed") { Description = "Equal seeds give equal texts.", HelpName = "N" };
    private readonly Option<int?> _maxTokens = new("--max-tokens")
    {
        Description = $"At most this many tokens; 0 means as many as the context holds (default: {DefaultTokens}, or what the context has left).", HelpName = "N",
    };

    private readonly Option<double?> _minP = new("--min-p") { Description = "Leave out tokens below this fraction of the likeliest.", HelpName = "P" };
    private readonly Option<double?> _repetition = new("--repetition-penalty") { Description = "Above 1: avoid tokens of the prompt and the answer.", HelpName = "R" };
    private readonly Option<double?> _presence = new("--presence-penalty") { Description = "Above 0: avoid tokens of the answer.", HelpName = "R" };
    private readonly Option<double?> _frequency = new("--frequency-penalty") { Description = "Above 0: avoid frequent tokens of the answer.", HelpName = "R" };
    private readonly Option<int?> _minTokens = new("--min-tokens") { Description = "At least this many tokens.", HelpName = "N" };
    private readonly Option<string[]> _stop = new("--stop") { Description = "Text that ends the answer; may be repeated.", Arity = ArgumentArity.ZeroOrMore };

    public Command AddTo(Command command) => command.With(
        _temperature, _topP, _topK, _minP, _repetition, _presence, _frequency, _seed, _maxTokens, _minTokens, _stop);

    public GenerateRequest Read(CommandCall call, string model)
    {
        var sampling = new SamplingParameters();
        if (call.Value(_temperature) is { } temperature)
        {
            sampling.Temperature = temperature;
        }

        if (call.Value(_topP) is { } topP)
        {
            sampling.TopP = topP;
        }

        if (call.Value(_topK) is { } topK)
        {
            sampling.TopK = topK;
        }

        if (call.Value(_seed) is { } seed)
        {
            sampling.Seed = seed;
        }

        ReadPenalties(call, sampling);
        var request = new GenerateRequest { Model = model, Sampling = sampling, MaxOutputTokens = call.Value(_maxTokens) ?? DefaultTokens };
        request.StopSequences.AddRange(call.Value(_stop) ?? []);
        return request;
    }

    /// <summary>Sends what was read. A length that was not given gives way to a short context.</summary>
    public Task<T> AskAsync<T>(CommandCall call, GenerateRequest request, Func<Task<T>> ask) =>
        call.Has(_maxTokens) ? ask() : DefaultLength.AskAsync(request, ask);

    private void ReadPenalties(CommandCall call, SamplingParameters sampling)
    {
        if (call.Value(_minP) is { } minP)
        {
            sampling.MinP = minP;
        }

        if (call.Value(_repetition) is { } repetition)
        {
            sampling.RepetitionPenalty = repetition;
        }

        if (call.Value(_presence) is { } presence)
        {
            sampling.PresencePenalty = presence;
        }

        if (call.Value(_frequency) is { } frequency)
        {
            sampling.FrequencyPenalty = frequency;
        }

        if (call.Value(_minTokens) is { } minTokens)
        {
            sampling.MinTokens = minTokens;
        }
    }
}
