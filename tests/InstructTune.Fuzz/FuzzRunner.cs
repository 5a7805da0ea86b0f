using System.Diagnostics;

namespace InstructTune.Fuzz;

/// <summary>What a run of a target showed.</summary>
internal sealed record FuzzReport(
    string Target, int Inputs, int Accepted, int Refused, TimeSpan Longest, long MostAllocatedBytes, double MostOfLimit, IReadOnlyList<FuzzFailure> Failures);

/// <summary>An input that broke the promise.</summary>
internal sealed record FuzzFailure(int Number, byte[] Input, string Problem);

/// <summary>Feeds a target with mutated inputs and measures each.</summary>
internal sealed class FuzzRunner(FuzzTarget target)
{
    private const int MaxFailures = 10;

    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(1);

    private readonly List<FuzzFailure> _failures = [];
    private int _accepted;
    private int _refused;
    private TimeSpan _longestSeen;
    private long _mostAllocatedBytes;
    private double _mostOfLimit;

    /// <summary>The number and start of the input that runs now, for whoever watches over a hang.</summary>
    public (int Number, long Started) Current { get; private set; }

    /// <summary>Tries the sound inputs as they are, then <paramref name="count"/> mutations.</summary>
    public FuzzReport Run(int count, ulong seed)
    {
        var seeds = target.Seeds();
        for (var i = 0; i < seeds.Count; i++)
        {
            if (TryInput(-1 - i, seeds[i]) is { } refusal)
            {
                Fail(-1 - i, seeds[i], $"the sound input is refused: {refusal.Message}");
            }
        }

        var mutator = new Mutator(seeds, target.Words, seed);
        for (var number = 0; number < count && _failures.Count < MaxFailures; number++)
        {
            TryInput(number, mutator.Make(number));
        }

        return new FuzzReport(
            target.Name, _accepted + _refused, _accepted, _refused, _longestSeen, _mostAllocatedBytes, _mostOfLimit, _failures);
    }

    // The first time of everything pays for compilation and caches: an input that seems too dear is tried again.
    private Exception? TryInput(int number, byte[] input)
    {
        var first = Measure(number, input);
        var last = first.Elapsed > s_longest || first.AllocatedBytes > target.AllocationLimitBytes(input.Length) ? Measure(number, input) : first;
        (_accepted, _refused) = last.Exception is null ? (_accepted + 1, _refused) : (_accepted, _refused + 1);
        _longestSeen = last.Elapsed > _longestSeen ? last.Elapsed : _longestSeen;
        _mostAllocatedBytes = Math.Max(_mostAllocatedBytes, last.AllocatedBytes);
        _mostOfLimit = Math.Max(_mostOfLimit, (double)last.AllocatedBytes / target.AllocationLimitBytes(input.Length));
        if (last.Exception is { } exception && !target.IsRefusal(exception))
        {
            Fail(number, input, exception.ToString());
        }

        if (last.Elapsed > s_longest)
        {
            Fail(number, input, $"took {last.Elapsed.TotalSeconds:F1} s");
        }

        if (last.AllocatedBytes > target.AllocationLimitBytes(input.Length))
        {
            Fail(number, input, $"allocated {last.AllocatedBytes} bytes for an input of {input.Length}; the limit is {target.AllocationLimitBytes(input.Length)}");
        }

        return last.Exception;
    }

    private (Exception? Exception, TimeSpan Elapsed, long AllocatedBytes) Measure(int number, byte[] input)
    {
        var started = Stopwatch.GetTimestamp();
        Current = (number, started);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Exception? caught = null;
        try
        {
            target.Run(input);
        }
        catch (Exception exception)
        {
            caught = exception;
        }

        return (caught, Stopwatch.GetElapsedTime(started), GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private void Fail(int number, byte[] input, string problem) => _failures.Add(new FuzzFailure(number, input, problem));
}
