using System.Runtime.CompilerServices;
using System.Threading.Channels;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Generation;

namespace InstructTune.Inference.Api;

/// <summary>
/// The updates of all candidates of a request, as they come. A candidate whose logits are not finite ends alone, unless nothing is left
/// of the request; any other fault ends the stream.
/// </summary>
internal static class CandidateStream
{
    public const string NonFinite = "NON_FINITE_LOGITS";

    public static async IAsyncEnumerable<(int Candidate, GenerationUpdate Update)> ReadAsync(
        Generation generation, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var lost = new LostCandidates(generation.Outputs.Count);
        if (generation.Outputs.Count == 1)
        {
            // Nothing to merge: most requests are spared a queue and a thread for every token.
            GenerationUpdate own;
            do
            {
                own = await TakeAsync(generation.Outputs[0], lost, cancellationToken);
                yield return (0, own);
            }
            while (own.End is null);
            yield break;
        }
        var updates = Channel.CreateBounded<(int, GenerationUpdate)>(generation.Outputs.Count);
        var readers = Task.WhenAll(generation.Outputs.Select(async (mailbox, candidate) =>
        {
            try
            {
                GenerationUpdate update;
                do
                {
                    update = await TakeAsync(mailbox, lost, cancellationToken);
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

    private static async Task<GenerationUpdate> TakeAsync(Mailbox mailbox, LostCandidates lost, CancellationToken cancellationToken)
    {
        try
        {
            var update = await mailbox.TakeAsync(cancellationToken);
            lost.Saw();
            return update;
        }
        catch (NonFiniteLogitsException) when (!lost.Lose())
        {
            return new GenerationUpdate("", [], mailbox.Figures, new GenerationEnd(StopReason.None, "") { Error = NonFinite });
        }
    }

    /// <summary>Whether anything is left of a request.</summary>
    private sealed class LostCandidates(int count)
    {
        private int _left = count;
        private volatile bool _hasText;

        public void Saw() => _hasText = true;

        /// <summary>True when nothing is left and nothing was ever said.</summary>
        public bool Lose() => Interlocked.Decrement(ref _left) == 0 && !_hasText;
    }
}
