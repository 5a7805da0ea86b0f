using Grpc.Core;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Requests;
using InstructTune.Inference.Serving;
using Microsoft.Extensions.Options;

namespace InstructTune.Inference.Api;

/// <summary>One request to generate from its arrival to its last token, with everything that is counted about it.</summary>
internal sealed class GenerateCalls(
    RequestDesk desk, CallEntrance entrance, RequestMetrics metrics, ModelTally tally, IOptions<InferenceOptions> options, TimeProvider time)
{
    private static readonly TimeSpan _longestAbort = TimeSpan.FromSeconds(5);

    public async Task<V1.GenerateResponse> AnswerAsync(V1.GenerateRequest request, ServerCallContext context)
    {
        V1.GenerateResponse? response = null;
        await RunAsync(request, context, streams: false, (generation, usage) =>
        {
            GenerateAnswer[] answers = [.. generation.Outputs.Select(_ => new GenerateAnswer(generation))];
            return new Sink(
                (candidate, update) =>
                {
                    answers[candidate].Append(update);
                    return Task.CompletedTask;
                },
                () => response = GenerateMapping.ToResponse(generation, answers, usage.ToUsage()));
        });
        return response!;
    }

    public Task StreamAsync(V1.GenerateRequest request, IServerStreamWriter<V1.StreamGenerateResponse> stream, ServerCallContext context) =>
        RunAsync(request, context, streams: true, (generation, usage) =>
        {
            var isFirst = true;
            return new Sink(
                async (candidate, update) =>
                {
                    var message = GenerateMapping.ToDelta(generation, candidate, update, usage.ToUsage());
                    if (isFirst)
                    {
                        GenerateMapping.Introduce(generation, message);
                        isFirst = false;
                    }
                    await WriteAsync(stream, message, context);
                },
                () => { });
        });

    private async Task RunAsync(V1.GenerateRequest request, ServerCallContext context, bool streams, Func<Generation, UsageTally, Sink> open)
    {
        var requestId = RequestIds.Give(request.RequestId, context);
        using var place = entrance.Enter(request.Tenant, request.Priority, context);
        // Whatever ends this method ends the sequences with it.
        using var life = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        Generation? generation = null;
        try
        {
            generation = await FaultTranslation.RunAsync(() => desk.GenerateAsync(
                GenerateReading.Read(request, options.Value.Form, context.RequestHeaders) with { RequestId = requestId, Streams = streams }, place, life.Token));
            await RelayAsync(generation, open, context, life.Token);
        }
        catch (MailboxFullException exception)
        {
            var slow = await BreakOffAsync(context, exception);
            entrance.CountIfCancelled(context, slow);
            throw slow;
        }
        catch (Exception exception)
        {
            entrance.CountIfCancelled(context, exception);
            if (generation is null)
            {
                metrics.RecordEnd(RequestMetrics.None, RequestMetrics.None, entrance.CodeOf(context, exception).ToString());
            }
            throw;
        }
        finally
        {
            await life.CancelAsync();
        }
    }

    private async Task RelayAsync(Generation generation, Func<Generation, UsageTally, Sink> open, ServerCallContext context, CancellationToken cancellationToken)
    {
        var figures = tally.Of(generation.ModelVersion);
        var usage = new UsageTally(generation, options.Value.HidesCachedTokens);
        var sink = open(generation, usage);
        var (reason, code) = (RequestMetrics.None, StatusCode.OK);
        figures.Begin();
        try
        {
            await FaultTranslation.RunAsync(async () =>
            {
                await foreach (var (candidate, update) in CandidateStream.ReadAsync(generation, cancellationToken))
                {
                    usage.Set(candidate, update.Figures);
                    reason = update.End is { } end ? GenerateMapping.ToFinishReason(end).ToString().ToLowerInvariant() : reason;
                    await sink.TakeAsync(candidate, update);
                }
                return true;
            });
            Record(generation, usage);
            sink.Close();
        }
        catch (Exception exception)
        {
            code = entrance.CodeOf(context, exception);
            throw;
        }
        finally
        {
            figures.End(failed: code != StatusCode.OK);
            metrics.RecordEnd(tally.NameOf(generation.ModelVersion), reason, code.ToString());
        }
    }

    private void Record(Generation generation, UsageTally usage)
    {
        var total = usage.Total;
        tally.Of(generation.ModelVersion).Add(generation.PromptTokens, total.CachedTokens, total.OutputTokens);
        metrics.RecordText(
            tally.NameOf(generation.ModelVersion), generation.Urgency, generation.PromptTokens, total, generation.Outputs.Count, time.GetElapsedTime(generation.Arrived));
    }

    /// <summary>Nobody computes for a reader who does not read: the mailbox holds what there is, and after a time the stream is broken off.</summary>
    private async Task WriteAsync(IServerStreamWriter<V1.StreamGenerateResponse> stream, V1.StreamGenerateResponse message, ServerCallContext context)
    {
        try
        {
            await stream.WriteAsync(message, context.CancellationToken).WaitAsync(options.Value.SlowReaderTimeout, time);
        }
        catch (TimeoutException exception)
        {
            throw await BreakOffAsync(context, exception);
        }
    }

    /// <summary>Ends the stream at its transport: who does not read would not read an error either.</summary>
    private async Task<SlowReaderException> BreakOffAsync(ServerCallContext context, Exception cause)
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = context.CancellationToken.Register(gone.SetResult);
        context.GetHttpContext().Abort();
        // It says so on another thread; until then this would look like a fault of the service.
        await Task.WhenAny(gone.Task, Task.Delay(_longestAbort, time));
        return new SlowReaderException(cause);
    }

    private sealed record Sink(Func<int, GenerationUpdate, Task> TakeAsync, Action Close);
}
