using System.Diagnostics;

namespace InstructTune.Testing.Load;

/// <summary>Sends at given times and waits for no answer.</summary>
public static class OpenLoopSender
{
    /// <summary>More calls than this are looked through for those that have ended.</summary>
    private const int ManyCalls = 10_000;

    /// <param name="arrivals">When, from now on, in their order. Who is late is sent at once.</param>
    /// <param name="longest">Nothing is sent after that.</param>
    /// <param name="sendAsync">Makes the call of a number; it must not throw.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The calls that had not ended when last looked at, as soon as the last was sent.</returns>
    public static async Task<IReadOnlyList<Task>> SendAsync(
        IEnumerable<TimeSpan> arrivals, TimeSpan longest, Func<int, Task> sendAsync, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        List<Task> calls = [];
        var number = 0;
        foreach (var due in arrivals)
        {
            if (watch.Elapsed >= longest)
            {
                break;
            }

            if (due > watch.Elapsed)
            {
                await Task.Delay(due - watch.Elapsed, TimeProvider.System, cancellationToken);
            }

            calls.Add(sendAsync(number++));
            if (calls.Count > ManyCalls)
            {
                calls.RemoveAll(call => call.IsCompleted);
            }
        }

        return calls;
    }
}
