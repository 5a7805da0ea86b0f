namespace InstructTune.Inference.Models;

/// <summary>Brings models to the engine and takes them away.</summary>
internal interface IModelLoader
{
    /// <summary>Reads what a load needs to be planned.</summary>
    Task<IModelLoad> OpenAsync(ResidentModel resident, CancellationToken cancellationToken);

    /// <summary>Frees a model that nobody uses.</summary>
    Task UnloadAsync(ResidentModel resident);
}

/// <summary>A verified artifact, ready to be loaded. Dispose frees what was not given to the engine.</summary>
internal interface IModelLoad : IDisposable
{
    long SizeBytes { get; }

    Task<ModelContent> RunAsync();
}
