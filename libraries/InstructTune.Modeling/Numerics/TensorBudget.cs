using TorchSharp;

namespace InstructTune.Modeling.Numerics;

/// <summary>Counts the tensors this thread holds, to show that work which ends leaves none behind.</summary>
public readonly record struct TensorBudget
{
    private readonly long _before;

    private TensorBudget(long before)
    {
        _before = before;
    }

    /// <summary>Tensors alive now that this thread made or took.</summary>
    public static long LiveCount => DisposeScopeManager.Statistics.ThreadTotalLiveCount;

    /// <summary>Starts counting.</summary>
    public static TensorBudget Start() => new(LiveCount);

    /// <summary>Tensors that stayed since the start.</summary>
    public long KeptCount => LiveCount - _before;

    /// <summary>Throws when another number of tensors stayed than was agreed.</summary>
    /// <exception cref="InvalidOperationException">Tensors leaked, or were freed too early.</exception>
    public void Require(long keptCount)
    {
        if (KeptCount != keptCount)
        {
            throw new InvalidOperationException($"{KeptCount} tensors stayed alive where {keptCount} were agreed.");
        }
    }
}
