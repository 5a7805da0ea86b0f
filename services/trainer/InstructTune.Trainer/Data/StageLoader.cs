using InstructTune.Jobs;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.FineTuning;
using InstructTune.Trainer.Peers;

namespace InstructTune.Trainer.Data;

/// <summary>Reads the examples of a stage and makes rows of those in its subset.</summary>
internal sealed class StageLoader(ExampleSource source)
{
    /// <exception cref="JobFailedException">No example has a token to train on.</exception>
    public Task<StageData> LoadAsync(StageSpec stage, DatasetFacts dataset, ulong seed, ExampleEncoder encoder, CancellationToken ct) =>
        stage.Mix is { } mix ? LoadMixAsync(stage, mix, dataset, seed, encoder, ct) : LoadVersionAsync(stage, dataset, seed, encoder, questionCount: 0, ct);

    /// <summary>Reads a whole validation set.</summary>
    /// <exception cref="JobFailedException">No example has a token whose loss could be measured.</exception>
    public Task<StageData> LoadValidationAsync(StageSpec stage, DatasetFacts dataset, ulong seed, ExampleEncoder encoder, CancellationToken ct) => LoadVersionAsync(
        stage with { Dataset = dataset.VersionName, Mix = null, MaxExamples = dataset.ExampleCount }, dataset, seed, encoder, stage.ValidationGenerateExamples, ct);

    private async Task<StageData> LoadVersionAsync(
        StageSpec stage, DatasetFacts dataset, ulong seed, ExampleEncoder encoder, int questionCount, CancellationToken ct)
    {
        var subset = Subset(stage, dataset, seed);
        var asked = questionCount == 0 ? [] : SeededPermutation.Subset((int)dataset.ExampleCount, questionCount, StepSeed.Of(seed, stage.StageId, 0, "questions")).ToHashSet();
        var rows = new List<TokenizedExample>();
        var questions = new List<Question>();
        var collector = new RowCollector(stage, encoder);
        await foreach (var (index, example) in source.ReadAsync(stage.Dataset, ct))
        {
            if (subset.Contains(index))
            {
                rows.AddRange(collector.Rows(example, stage.Dataset, index));
            }

            if (asked.Contains(index) && encoder.QuestionOf(example) is { } question)
            {
                questions.Add(question);
            }
        }

        return questionCount > 0 && questions.Count == 0
            ? throw collector.NothingToAsk(stage.Dataset)
            : collector.ToStageData(rows, stage.Dataset) with { Questions = questions };
    }

    // Every component is read once, in stored order; its examples then go to their places in the mix.
    private async Task<StageData> LoadMixAsync(StageSpec stage, MixSpec mix, DatasetFacts dataset, ulong seed, ExampleEncoder encoder, CancellationToken ct)
    {
        var places = MixPlan.Of(mix, dataset.Components).Places;
        var subset = Subset(stage, dataset, seed);
        var used = places.Select((place, position) => (place, position)).Where(entry => subset.Contains(entry.position)).ToArray();
        var rowsAt = new IReadOnlyList<TokenizedExample>[places.Count];
        var collector = new RowCollector(stage, encoder);
        for (var component = 0; component < dataset.Components.Count; component++)
        {
            var version = dataset.Components[component].VersionName;
            var positions = used.Where(entry => entry.place.Component == component).ToLookup(entry => entry.place.Index, entry => entry.position);
            await foreach (var (index, example) in source.ReadAsync(version, ct))
            {
                if (positions[index].ToArray() is { Length: > 0 } here)
                {
                    var made = collector.Rows(example, version, index, here.Length);
                    Array.ForEach(here, position => rowsAt[position] = made);
                }
            }
        }

        return collector.ToStageData([.. used.SelectMany(entry => rowsAt[entry.position])], "the mix") with
        {
            Sources = [.. dataset.Components.Select((version, i) => (version.VersionName, (long)used.Count(entry => entry.place.Component == i)))],
        };
    }

    private static HashSet<int> Subset(StageSpec stage, DatasetFacts dataset, ulong seed) => [.. SeededPermutation.Subset(
        (int)dataset.ExampleCount, stage.MaxExamples, StepSeed.Of(seed, stage.StageId, 0, "subset"))];
}
