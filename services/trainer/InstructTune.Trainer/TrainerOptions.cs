using InstructTune.Modeling.Numerics;

namespace InstructTune.Trainer;

/// <summary>What this process does of the trainer's work.</summary>
internal enum TrainerRole
{
    /// <summary>Both.</summary>
    All,

    /// <summary>Answers calls; touches no tensor.</summary>
    Api,

    /// <summary>Trains.</summary>
    Worker,
}

internal sealed class TrainerOptions
{
    public const string Section = "Trainer";

    /// <summary>Apart in a cluster, so that a native crash in training cannot take the API down; together on one machine.</summary>
    public TrainerRole Role { get; set; } = TrainerRole.All;

    /// <summary>Memory that training may take; 0 for what the system lets this process have.</summary>
    public long DeviceMemoryBytes { get; set; }

    /// <summary><see cref="DeviceMemoryBytes"/>, or what stands for it.</summary>
    public long AvailableBytes => DeviceMemoryBytes > 0 ? DeviceMemoryBytes : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>How often a job tries to save again that found the disk full.</summary>
    public TimeSpan StorageRetryInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a job looks that waits for another to train an equal stage.</summary>
    public TimeSpan StagePollInterval { get; set; } = TimeSpan.FromMilliseconds(500);
}

/// <summary>Shared by everything in the process that computes with libtorch.</summary>
internal sealed class TorchOptions
{
    public const string Section = "Torch";

    /// <summary>
    /// Threads of libtorch; 0 for its own choice, one per core. Results depend on the number, so it is part of the numerics fingerprint of every job.
    /// </summary>
    public int Threads { get; set; }

    /// <summary>To be called on the thread that computes: OpenMP keeps the number per thread.</summary>
    public void Pin()
    {
        if (Threads > 0)
        {
            TorchThreads.Pin(Threads);
        }
    }
}
