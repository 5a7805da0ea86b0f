using System.Runtime.CompilerServices;
using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.V1;

namespace InstructTune.Trainer.Peers;

/// <summary>Reads dataset versions from their owner. A broken stream goes on after the last example received.</summary>
internal sealed class ExampleSource(DatasetService.DatasetServiceClient datasets, TimeProvider time)
{
    private const int MaxFaultsWithoutExample = 5;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>Every example of the version, in stored order, with its index.</summary>
    public async IAsyncEnumerable<(int Index, SourceExample Example)> ReadAsync(string versionName, [EnumeratorCancellation] CancellationToken ct)
    {
        var next = 0L;
        var faults = 0;
        while (true)
        {
            using var call = datasets.StreamExamples(new StreamExamplesRequest { Name = versionName, StartIndex = next }, cancellationToken: ct);
            bool isBroken;
            while (true)
            {
                (isBroken, var message) = await NextAsync(call.ResponseStream, faults, ct);
                if (message is null)
                {
                    break;
                }

                faults = 0;
                next = message.Index + 1;
                yield return ((int)message.Index, ToDomain(message.Example));
            }

            if (!isBroken)
            {
                yield break;
            }

            faults++;
            await Task.Delay(RetryDelay, time, ct);
        }
    }

    private static async Task<(bool IsBroken, StreamExamplesResponse? Message)> NextAsync(
        IAsyncStreamReader<StreamExamplesResponse> stream, int faults, CancellationToken ct)
    {
        try
        {
            return await stream.MoveNext(ct) ? (false, stream.Current) : (false, null);
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.Unavailable && faults < MaxFaultsWithoutExample)
        {
            return (true, null);
        }
        catch (RpcException exception)
            when (ErrorStatus.FromPeer(exception) is { Reason: ErrorReason.ArtifactCorrupt or ErrorReason.ResourceNotFound } fault)
        {
            throw new JobFailedException(new JobFault(ErrorCatalog.NameOf(fault.Reason), fault.Message, fault.Metadata), exception);
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.Cancelled && ct.IsCancellationRequested)
        {
            throw new OperationCanceledException(exception.Message, exception, ct);
        }
    }

    private static SourceExample ToDomain(Example example) => example.PromptCase switch
    {
        Example.PromptOneofCase.Instruction =>
            new InstructionExample(example.Instruction.Instruction_, example.Instruction.Input, example.Output),
        Example.PromptOneofCase.Conversation =>
            new ConversationExample([.. example.Conversation.Turns.Select(turn => new ConversationTurn(turn.Role, turn.Text, turn.HasTrained ? turn.Trained : null))]),
        Example.PromptOneofCase.RawPrompt => new PromptExample(example.RawPrompt, example.Output),
        Example.PromptOneofCase.Text => new TextExample(example.Text),
        _ => throw new InvalidDataException("an example has neither instruction, conversation, raw_prompt nor text"),
    };
}
