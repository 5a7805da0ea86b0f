using InstructTune.SyntheticWorld;

namespace InstructTune.Cli.Demo;

/// <summary>What the demonstration was asked for.</summary>
internal sealed record DemoOptions
{
    /// <summary>Share of the generalist data that is related to the specialist's task; 0 is the null world.</summary>
    public double Overlap { get; init; } = 1;

    public ulong Seed { get; init; } = 1;

    /// <summary>A folder of real data; null for the synthetic world.</summary>
    public string? DataFolder { get; init; }

    /// <summary>The base for real data, a Hugging Face folder.</summary>
    public string? BaseFolder { get; init; }

    /// <summary>A few steps on a few examples: shows that everything works and measures nothing that could be concluded from.</summary>
    public bool Quick { get; init; }

    public string? Redis { get; init; }

    /// <summary>Keep the server's data folder.</summary>
    public bool Keep { get; init; }

    public required string OutFolder { get; init; }

    /// <summary>The synthetic world that was asked for.</summary>
    public WorldOptions World
    {
        get
        {
            var world = new WorldOptions { Seed = Seed, Overlap = Overlap };
            return Quick ? world with { GeneralistCount = 160, SpecialistTrainCount = 160, TestCount = 40 } : world;
        }
    }
}
