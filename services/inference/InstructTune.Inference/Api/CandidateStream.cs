using System.Threading.Channels;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Requests;

namespace InstructTune.Inference.Api;

/// <summary>The updates of all candidates of a request, as they come. What one of them fails with ends the stream.</summary>
internal static class CandidateStream
{
    public static async IAsyncEnumerable<(int Candidate, GenerationUpdate Update)> ReadAsync(
        Generation generation, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var updates = Channel.CreateBounded<(int, GenerationUpdate)>(generation.Outputs.Count);
        var readers = Task.WhenAll(generation.Outputs.Select(async (mailbox, candidate) =>
        {
            try
            {
                GenerationUpdate update;
                do
                {
                    update = await mailbox.TakeAsync(cancellationToken);
                    await updates.Writer.WriteAsync((candidate, update), cancellationToken);
                }
                while (update.End is null);
            }
            catch (Exception exception)
            {
                // Read to its end, the channel throws this to the caller.
                updates.Writer.TryComplete(exception);
                throw;
            }
        }));
        _ = readers.ContinueWith(
            done => updates.Writer.TryComplete(done.Exception?.InnerException), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await foreach (var update in updates.Reader.ReadAllAsync(cancellationToken))
        {
            yield return update;
        }
    }
}
