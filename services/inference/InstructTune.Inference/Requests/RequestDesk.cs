using System.Security.Cryptography;
using InstructTune.Inference.Admission;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Models;
using InstructTune.Inference.Serving;
using InstructTune.Modeling.Generation;
using InstructTune.Modeling.Prompts;

namespace InstructTune.Inference.Requests;

/// <summary>
/// From a request to sequences in the engine: a place in the queue, the model, the ids, the limits, the submission. The place is
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
    RefusalLog refusals,
    TimeProvider time)
{
    /// <summary>A place in the queue, asked for before anything is read, looked up or tokenized: who is refused costs next to nothing.</summary>
    /// <exception cref="InferenceFault">There is none.</exception>
    public WaitingTicket Admit(Standing standing, TimeSpan? timeLeft)
    {
        if (watch.IsStalled)
        {
            throw watch.Fault();
        }
        try
        {
            return gate.Enter(standing.Tenant, timeLeft, standing.Urgency);
        }
        catch (InferenceFault refusal)
        {
            CountRefusal(refusal);
            throw;
        }
    }

    public Task<Generation> GenerateAsync(GenerateCall call, WaitingTicket place, CancellationToken cancellationToken) =>
        PrepareAsync(call.Model, call.Form, (model, arrived) => Submit(call, model, place, arrived, cancellationToken), cancellationToken);

    public async Task<Scoring> ScoreAsync(ScoreCall call, WaitingTicket place, CancellationToken cancellationToken)
    {
        var (model, items, sequences) = await PrepareAsync(
            call.Model, call.Form, (model, arrived) => Submit(call, model, place, arrived, cancellationToken), cancellationToken);
        var groups = await Task.WhenAll(sequences.Select(sequence => sequence.Result)).WaitAsync(cancellationToken);
        return new Scoring(model.VersionName, model.Form, model.Tokenizer, [.. items.Zip(groups.SelectMany(group => group), (item, score) => new ItemScore(item, score))])
        {
            Urgency = call.Standing.Urgency,
            PromptTokens = ScoreGroup.Of(items).Sum(group => group.TokenCount),
            CachedTokens = sequences.Sum(sequence => sequence.CachedTokens),
            QueueTime = sequences.Min(sequence => time.GetElapsedTime(sequence.Life.Arrived, sequence.Started)),
        };
    }

    private async Task<T> PrepareAsync<T>(string name, WeightForm? form, Func<ModelLease, long, T> submit, CancellationToken cancellationToken)
    {
        var arrived = time.GetTimestamp();
        ModelLease? model = null;
        try
        {
            model = await models.AcquireAsync(Served(await registry.FindAsync(name, cancellationToken), form), form, cancellationToken);
            return submit(model, arrived);
        }
        catch (Exception exception)
        {
            model?.Dispose();
            if (exception is InferenceFault { Kind: FaultKind.QueueFull } refusal)
            {
                CountRefusal(refusal);
            }
            throw;
        }
    }

    /// <summary>Seen before anything is loaded: a form that is not served is no reason to bring the model into memory.</summary>
    private VersionFacts Served(VersionFacts version, WeightForm? form)
    {
        var served = models.FormOf(version);
        return form is null || form == served
            ? version
            : throw new InferenceFault(
                FaultKind.WeightFormatNotServed, $"{version.Name} is served from {served.Numbers} weights, not from {form.Numbers}.", ("served", served.Numbers), ("asked", form.Numbers));
    }

    private void CountRefusal(InferenceFault refusal)
    {
        tally.Reject();
        metrics.RecordRejected(refusal.Cause);
        refusals.Count();
    }

    private Generation Submit(
        GenerateCall call, ModelLease model, WaitingTicket ticket, long arrived, CancellationToken cancellationToken)
    {
        ThrowIfAny([.. VocabularyCheck.Of(call, model.VocabularySize)]);
        var prompt = Encode(call.Input, model.Encoder);
        prompt = call.TruncatePromptTokens > 0 && prompt.Length > call.TruncatePromptTokens ? prompt[^call.TruncatePromptTokens..] : prompt;
        var maxTokens = ContextLimit.OutputTokens(prompt.Length, call.MaxOutputTokens, model.ContextTokens);
        ticket.Charge((long)prompt.Length * call.Count, call.Standing.Urgency);
        var seed = call.Seed ?? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        var life = new RequestLife(arrived, call.Count, ticket.Dispose, model.Dispose, cancellationToken) { Standing = call.Standing, RequestId = call.RequestId };
        var chain = prefixes.ChainOf(prompt, ScopeOf(model, call.Standing, call.CacheSalt), reads: !call.SkipsPrefixCache && call.PromptReports is null);
        var task = new GenerationTask(prompt, call.Sampling with { Seed = seed }, StopsOf(call, model, maxTokens), model.Tokenizer)
        {
            Reports = call.Reports, TellsAll = call.Streams,
        };
        GenerationSequence[] sequences =
        [
            .. Enumerable.Range(0, call.Count).Select(choice => new GenerationSequence(
                model.Key, life, task with { Choice = choice, PromptReports = choice == 0 ? call.PromptReports : null }, time) { Prefix = chain }),
        ];
        Submit(life, sequences);
        return new Generation(model.VersionName, seed, prompt, model.Tokenizer, [.. sequences.Select(sequence => sequence.Output)])
        {
            Form = model.Form, Urgency = call.Standing.Urgency, Arrived = arrived,
        };
    }

    private void Submit(RequestLife life, IReadOnlyList<Sequence> sequences)
    {
        engine.Submit(sequences);
        live.Add(life, sequences);
    }

    private static PrefixScope ScopeOf(ModelLease model, Standing standing, string salt) =>
        new(model.BaseSha256, model.AdapterSha256, standing.Tenant, salt) { Format = model.Form.Number };

    private static StopConditions StopsOf(GenerateCall call, ModelLease model, int maxTokens) => new(
        call.IgnoreEndOfText ? [] : [.. model.Encoder.EndIds], [.. call.StopTokenIds, .. ControlStops.Of(call.StopSequences, model.Tokenizer)], call.StopSequences, call.Sampling.MinTokens, maxTokens)
    {
        IncludeStopSequence = call.IncludeStopSequence,
    };

    private (ModelLease Model, IReadOnlyList<EncodedScore> Items, IReadOnlyList<ScoreSequence> Sequences) Submit(
        ScoreCall call, ModelLease model, WaitingTicket ticket, long arrived, CancellationToken cancellationToken)
    {
        ThrowIfAny([.. VocabularyCheck.Of(call, model.VocabularySize)]);
        EncodedScore[] items =
        [
            .. call.Items.Select((item, index) => ContextLimit.Fit(
                ScoreEncoder.Encode(item, index, call.BeginsText, model.Encoder), index, call.TruncateContexts, model.ContextTokens)),
        ];
        var groups = ScoreGroup.Of(items);
        ticket.Charge(groups.Sum(group => (long)group.TokenCount), call.Standing.Urgency);
        var life = new RequestLife(arrived, groups.Count, ticket.Dispose, model.Dispose, cancellationToken) { Standing = call.Standing, RequestId = call.RequestId };
        var scope = ScopeOf(model, call.Standing, salt: "");
        ScoreSequence[] sequences =
        [
            .. groups.Select(group => new ScoreSequence(model.Key, life, group.Context, group.Continuations, call.Alternatives)
            {
                Prefix = prefixes.ChainOf(group.Context, scope, reads: true),
            }),
        ];
        Submit(life, sequences);
        return (model, items, sequences);
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
