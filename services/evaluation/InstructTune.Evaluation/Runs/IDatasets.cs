namespace InstructTune.Evaluation.Runs;

/// <summary>What the evaluation service needs of datasets.</summary>
internal interface IDatasets
{
    /// <summary>The exact version of a dataset (its newest) or of a version.</summary>
    Task<string> PinAsync(string datasetOrVersion, CancellationToken ct);

    /// <summary>For a run: waits for a service that is away; a version that is gone fails the job.</summary>
    Task<long> CountExamplesAsync(string version, CancellationToken ct);

    /// <summary>For a run, as <see cref="CountExamplesAsync"/>: the questions at ascending indices.</summary>
    IAsyncEnumerable<Question> ReadQuestionsAsync(string version, IReadOnlyList<long> indices, CancellationToken ct);
}
