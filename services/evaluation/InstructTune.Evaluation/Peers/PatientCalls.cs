using Grpc.Core;
using InstructTune.Evaluation.Runs;
using InstructTune.Hosting;
using InstructTune.Jobs;
using Microsoft.Extensions.Options;

namespace InstructTune.Evaluation.Peers;

/// <summary>
/// Calls of a run to other services. They change nothing there, so all of them may be made again: a service that is
/// away or overloaded is waited for, and what would fail every time ends the run with the reason that was given.
/// </summary>
internal sealed class PatientCalls(IOptions<EvaluationOptions> options, TimeProvider clock)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <exception cref="QuestionRefusedException">The prompt is too long for the model.</exception>
    /// <exception cref="JobFailedException">The call would fail again.</exception>
    /// <exception cref="RpcException">The service stayed away for longer than the patience, or failed in an unforeseen way.</exception>
    public async Task<T> RunAsync<T>(Func<CallOptions, Task<T>> call, TimeSpan timeout, CancellationToken ct)
    {
        var since = clock.GetTimestamp();
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                return await call(PeerCall.Within(timeout, clock, ct));
            }
            catch (RpcException exception)
            {
                ct.ThrowIfCancellationRequested();
                if (!ShouldWait(exception, clock.GetElapsedTime(since)))
                {
                    throw ForRun(exception) ?? exception;
                }
            }
            await Task.Delay(pause, clock, ct);
        }
    }

    // A full queue moves on: it is waited for without end, and the job's watchdog sees when nothing moves. A failure
    // without a reason is one of the connection: our services always give one.
    private bool ShouldWait(RpcException exception, TimeSpan waited) => ErrorStatus.FromPeer(exception)?.Reason switch
    {
        ErrorReason.QueueFull => true,
        null or ErrorReason.Draining or ErrorReason.PeerUnreachable => waited < options.Value.PeerPatience,
        _ => false,
    };

    // Null for what another attempt may mend.
    private static Exception? ForRun(RpcException exception) => ErrorStatus.FromPeer(exception) switch
    {
        null => null,
        { Reason: ErrorReason.PromptTooLong } refused => new QuestionRefusedException(ErrorCatalog.NameOf(refused.Reason), refused.Message),
        { Reason: ErrorReason.Internal or ErrorReason.Draining or ErrorReason.PeerUnreachable or ErrorReason.StoreUnreachable } => null,
        var fault => new JobFailedException(new JobFault(ErrorCatalog.NameOf(fault.Reason), fault.Message, fault.Metadata), exception),
    };
}
