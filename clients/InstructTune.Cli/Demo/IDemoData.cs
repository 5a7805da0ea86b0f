using InstructTune.Cli.Output;
using InstructTune.Client;

namespace InstructTune.Cli.Demo;

/// <summary>Where base and data of the demonstration come from.</summary>
internal interface IDemoData
{
    /// <summary>The folder of the base model.</summary>
    string BaseFolder { get; }

    /// <summary>Fails with one line when something is missing; touches nothing.</summary>
    void Check();

    DemoPlan Plan(long parameterCount);

    Task<DemoDatasets> ImportAsync(InstructTuneClient client, Terminal terminal, CancellationToken ct);
}
