namespace InstructTune.Trainer.Registry;

/// <summary>The named weights that can be trained from and served.</summary>
internal interface IModelRegistry
{
    /// <summary>
    /// Gives published files the next number of their model, which is made if it is absent. A second call for the same model and fine-tune job returns the
    /// version of the first, so that a job that is run again does not register twice.
    /// </summary>
    Task<ModelVersionRecord> RegisterAsync(NewModelVersion version, CancellationToken ct);

    /// <summary>A version by number, or the newest by `latest`; null where there is none.</summary>
    ModelVersionRecord? Find(string model, string version);
}
