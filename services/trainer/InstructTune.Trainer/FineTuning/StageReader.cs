using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.Data;

namespace InstructTune.Trainer.FineTuning;

/// <summary>Reads the data of the stages that are still to be trained.</summary>
internal sealed class StageReader(StageLoader loader)
{
    public async Task<IReadOnlyList<StageRun>> ReadAsync(FineTuneOrder order, string baseFolder, JobProgress progress, CancellationToken ct)
    {
        var spec = order.Spec;
        var tokenizer = Tokenizer.Load(baseFolder);
        var prompts = new PromptEncoder(JobFormat.Of(spec, tokenizer), tokenizer);
        var runs = new List<StageRun>();
        for (var i = 0; i < spec.Stages.Count; i++)
        {
            if (progress.Stages[i].IsComplete)
            {
                continue;
            }

            var stage = spec.Stages[i];
            var encoder = new ExampleEncoder(prompts, tokenizer, new SequenceLimit(stage.MaxSequenceTokens, stage.Truncation, stage.LossScope));
            var data = await loader.LoadAsync(stage, order.Datasets[i], spec.Seed, encoder, ct);
            var validation = new List<StageData>();
            foreach (var heldOut in order.Validation.GetValueOrDefault(stage.StageId) ?? [])
            {
                validation.Add(await loader.LoadValidationAsync(stage, heldOut, spec.Seed, encoder, ct));
            }

            runs.Add(new StageRun(i, stage, data, validation, spec.Seed) { Encoder = encoder });
        }

        return runs;
    }
}
