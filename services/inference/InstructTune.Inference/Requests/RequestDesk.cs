using System.Security.Cryptography;
using InstructTune.Inference.Admission;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Models;
using InstructTune.Inference.Serving;
using InstructTune.Modeling.Generation;
using InstructTune.Modeling.Prompts;

namespace InstructTune.Inference.Requests;

/// <summary>
/// From a valid request to sequences in the engine: a place in the queue, the model, the ids, the limits, the submission. The place is
/// given back when the request starts, the model when it ends.
/// </summary>
internal sealed class RequestDesk(
    IModelRegistry registry,
    ModelStore models,
    AdmissionGate gate,
    EngineLoop engine,
    PrefixKeys prefixes,
    LiveRequests live,
    StallWatch watch,
    ModelTally tally,
    RequestMetrics metrics,
    TimeProvider time)
{
    public Task<Generation> GenerateAsync(GenerateCall call, CancellationToken cancellationToken) =>
        PrepareAsync(call.Model, call.Standing, (model, ticket, arrived) => Submit(call, model, ticket, arrived, cancellationToken), cancellationToken);

    public async Task<Scoring> ScoreAsync(ScoreCall call, CancellationToken cancellationToken)
    {
        var (version, items, sequences) = await PrepareAsync(
            call.Model, call.Standing, (model, ticket, arrived) => Submit(call, model, ticket, arrived, cancellationToken), cancellationToken);
        var groups = await Task.WhenAll(sequences.Select(sequence => sequence.Result)).WaitAsync(cancellationToken);
        return new Scoring(version, [.. items.Zip(groups.SelectMany(group => group), (item, tokens) => new ItemScore(item, tokens))]);
    }

    private async Task<T> PrepareAsync<T>(
        string name, Standing standing, Func<ModelLease, WaitingTicket, long, T> submit, CancellationToken cancellationToken)
    {
        if (watch.IsStalled)
        {
            throw watch.Fault();
        }
        var arrived = time.GetTimestamp();
        WaitingTicket? ticket = null;
        ModelLease? model = null;
        try
        {
            ticket = gate.Enter(standing.Tenant);
            model = await models.AcquireAsync(await registry.FindAsync(name, cancellationToken), cancellationToken);
            return submit(model, ticket, arrived);
        }
        catch (Exception exception)
        {
            model?.Dispose();
            ticket?.Dispose();
            if (exception is InferenceFault { Kind: FaultKind.QueueFull })
            {
                tally.Reject();
                metrics.RecordRejected("queue_full");
            }
            throw;
        }
    }

    private Generation Submit(
        GenerateCall call, ModelLease model, WaitingTicket ticket, long arrived, CancellationToken cancellationToken)
    {
        ThrowIfAny([.. VocabularyCheck.Of(call, model.VocabularySize)]);
        var prompt = Encode(call.Input, model.Encoder);
        prompt = call.TruncatePromptTokens > 0 && prompt.Length > call.TruncatePromptTokens ? prompt[^call.TruncatePromptTokens..] : prompt;
        var maxTokens = ContextLimit.OutputTokens(prompt.Length, call.MaxOutputTokens, model.ContextTokens);
        ticket.Charge((long)prompt.Length * call.Count);
        var seed = call.Seed ?? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        var life = new RequestLife(arrived, call.Count, ticket.Dispose, model.Dispose, cancellationToken) { Standing = call.Standing };
        var chain = prefixes.ChainOf(prompt, ScopeOf(model, call.Standing, call.CacheSalt), reads: !call.SkipsPrefixCache && call.PromptReports is null);
        var task = new GenerationTask(prompt, call.Sampling with { Seed = seed }, StopsOf(call, model, maxTokens), model.Tokenizer) { Reports = call.Reports };
        GenerationSequence[] sequences =
        [
            .. Enumerable.Range(0, call.Count).Select(choice => new GenerationSequence(
                model.Key, life, task with { Choice = choice, PromptReports = choice == 0 ? call.PromptReports : null }, time) { Prefix = chain }),
        ];
        Submit(life, sequences);
        return new Generation(model.VersionName, seed, prompt, model.Tokenizer, [.. sequences.Select(sequence => sequence.Output)]) { Arrived = arrived };
    }

    private void Submit(RequestLife life, IReadOnlyList<Sequence> sequences)
    {
        engine.Submit(sequences);
        live.Add(life, sequences);
    }

    private static PrefixScope ScopeOf(ModelLease model, Standing standing, string salt) =>
        new(model.BaseSha256, model.AdapterSha256, standing.Tenant, salt);

    private static StopConditions StopsOf(GenerateCall call, ModelLease model, int maxTokens) => new(
        call.IgnoreEndOfText ? [] : [.. model.Encoder.EndIds], [.. call.StopTokenIds], call.StopSequences, call.Sampling.MinTokens, maxTokens)
    {
        IncludeStopSequence = call.IncludeStopSequence,
    };

    private (string Version, IReadOnlyList<EncodedScore> Items, IReadOnlyList<ScoreSequence> Sequences) Submit(
        ScoreCall call, ModelLease model, WaitingTicket ticket, long arrived, CancellationToken cancellationToken)
    {
        ThrowIfAny([.. VocabularyCheck.Of(call, model.VocabularySize)]);
        EncodedScore[] items =
        [
            .. call.Items.Select((item, index) => ContextLimit.Fit(
                ScoreEncoder.Encode(item, model.Encoder), index, call.TruncateContexts, model.ContextTokens)),
        ];
        var groups = ScoreGroup.Of(items);
        ticket.Charge(groups.Sum(group => (long)group.Context.Length + group.Continuations.Sum(continuation => continuation.Length)));
        var life = new RequestLife(arrived, groups.Count, ticket.Dispose, model.Dispose, cancellationToken) { Standing = call.Standing };
        var scope = ScopeOf(model, call.Standing, salt: "");
        ScoreSequence[] sequences =
        [
            .. groups.Select(group => new ScoreSequence(model.Key, life, group.Context, group.Continuations)
            {
                Prefix = prefixes.ChainOf(group.Context, scope, reads: true),
            }),
        ];
        Submit(life, sequences);
        return (model.VersionName, items, sequences);
    }

    private static int[] Encode(PromptInput input, PromptEncoder encoder)
    {
        try
        {
            var ids = PromptIds.Encode(input, encoder);
            ThrowIfAny(ids.Length > 0 ? [] : [new FieldProblem("raw_prompt", "must not be empty: this model has no beginning-of-text token")]);
            return ids;
        }
        catch (ConversationException exception)
        {
            throw new InvalidFieldsException([new FieldProblem($"conversation.turns[{exception.Turn}]", exception.Problem)]);
        }
    }

    private static void ThrowIfAny(IReadOnlyList<FieldProblem> problems)
    {
        if (problems.Count > 0)
        {
            throw new InvalidFieldsException(problems);
        }
    }
}
