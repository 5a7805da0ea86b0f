using System.Diagnostics;
using System.Globalization;

namespace InstructTune.Faults.Tests.Hooks;

/// <summary>What happens when a fail point is hit.</summary>
internal enum FaultAction
{
    /// <summary>kill -9 of the own process.</summary>
    Kill,

    /// <summary>The thread never returns.</summary>
    Hang,

    /// <summary>The system says that the disk is full, as long as the file beside the plan exists.</summary>
    Full,

    /// <summary>Nothing bad: the number of live tensors is added to the file, as a line.</summary>
    CountTensors,

    /// <summary>Once, libtorch is asked for more memory than there can be.</summary>
    OutOfMemory,
}

/// <summary>At the n-th hit of a point, and for a full disk at every later one, something happens. Written as POINT:N:ACTION[:PATH].</summary>
internal sealed class FaultPlan
{
    public const string Variable = "INSTRUCTTUNE_FAULT";

    private const int NoSpaceLeft = 28;

    private int _hits;

    public required string Point { get; init; }

    public required int AtHit { get; init; }

    public required FaultAction Action { get; init; }

    /// <summary>Of a full disk: it is full while this file exists. Of counting: the file.</summary>
    public string WhileExists { get; init; } = "";

    public static FaultPlan Parse(string text)
    {
        var parts = text.Split(':');
        return new FaultPlan
        {
            Point = parts[0],
            AtHit = int.Parse(parts[1], CultureInfo.InvariantCulture),
            Action = Enum.Parse<FaultAction>(parts[2]),
            WhileExists = parts.Length > 3 ? parts[3] : "",
        };
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Point}:{AtHit}:{Action}:{WhileExists}");

    public void Hit(string point)
    {
        if (point != Point || Interlocked.Increment(ref _hits) < AtHit)
        {
            return;
        }

        switch (Action)
        {
            case FaultAction.Kill when _hits == AtHit:
                using (var self = Process.GetCurrentProcess())
                {
                    self.Kill();
                }

                WaitForEver();
                break;
            case FaultAction.Hang when _hits == AtHit:
                WaitForEver();
                break;
            case FaultAction.Full when File.Exists(WhileExists):
                throw new IOException("No space left on device", NoSpaceLeft);
            case FaultAction.OutOfMemory when _hits == AtHit:
                // More than any address space has.
                using (TorchSharp.torch.empty(1L << 50))
                {
                }

                break;
            case FaultAction.CountTensors:
                File.AppendAllText(WhileExists, $"{TorchSharp.torch.Tensor.TotalCount}\n");
                break;
        }
    }

    private static void WaitForEver()
    {
        using var never = new ManualResetEventSlim();
        never.Wait();
    }
}
