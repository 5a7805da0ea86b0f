using Google.Protobuf;
using InstructTune.Cli.CommandLine;
using InstructTune.V1;

namespace InstructTune.Cli.Output;

/// <summary>What a job would do and take, for <c>finetune create --dry-run</c>: the completed spec, a table by stage, samples, and the verdict.</summary>
internal static class EstimateText
{
    private const int ShownTokens = 400;

    /// <summary>Returns the exit code: not 0 where the job does not fit.</summary>
    public static int Write(CommandCall call, FineTuneJob job)
    {
        if (call.IsJson)
        {
            JsonText.Write(call.Terminal, job);
            return job.Estimate.Fits ? ExitCode.Ok : ExitCode.Failed;
        }

        call.Terminal.Out.WriteLine(JsonFormatter.Default.Format(job.Spec));
        Table(job.Estimate).WriteTo(call.Terminal);
        foreach (var stage in job.Estimate.Stages)
        {
            foreach (var sample in stage.Samples.Take(1))
            {
                call.Terminal.Out.WriteLine($"First row of stage {stage.StageId}:");
                PromptPicture.WriteTokens(call.Terminal, Picture(sample));
            }
        }

        return Verdict(call.Terminal, job.Estimate);
    }

    private static Grid Table(ResourceEstimate estimate)
    {
        var grid = new Grid("stage", "steps", "trained tokens", "micro-batch", "weights", "gradients", "optimizer", "largest pass", "peak", "time");
        foreach (var stage in estimate.Stages)
        {
            grid.Add(
                stage.StageId, Formats.Count(stage.PlannedSteps), Formats.Count(stage.TrainedTokens), Formats.Count(stage.MicroBatchSize),
                Formats.Size(stage.WeightBytes), Formats.Size(stage.GradientBytes), Formats.Size(stage.OptimizerBytes),
                Formats.Size(stage.ActivationBytes) + (stage.GradientCheckpointing ? " (checkpointed)" : ""), Formats.Size(stage.PeakDeviceBytes),
                Formats.Duration(stage.Duration.ToTimeSpan()));
        }

        return grid;
    }

    private static RenderPromptResponse Picture(ResourceEstimate.Types.Sample sample)
    {
        var bytes = sample.TokenBytes.Take(ShownTokens).ToList();
        return new RenderPromptResponse
        {
            Text = System.Text.Encoding.UTF8.GetString([.. bytes.SelectMany(token => token)]),
            TokenIds = { sample.TokenIds.Take(ShownTokens) },
            Trained = { sample.Trained.Take(ShownTokens) },
            TokenBytes = { bytes },
        };
    }

    private static int Verdict(Terminal terminal, ResourceEstimate estimate)
    {
        terminal.Out.WriteLine(
            $"{Formats.Count(estimate.PlannedSteps)} steps, about {Formats.Duration(estimate.Duration.ToTimeSpan())} on this machine as it is now, "
                + $"{Formats.Size(estimate.PeakDeviceBytes)} of {Formats.Size(estimate.AvailableDeviceBytes)} memory, {Formats.Size(estimate.DiskBytes)} on disk.");
        if (estimate.Fits)
        {
            terminal.Out.WriteLine("It fits. Nothing was queued.");
            return ExitCode.Ok;
        }

        terminal.Out.WriteLine(estimate.Remedies.Count == 0
            ? "It does not fit, and no single change makes it fit: take a smaller model or a device with more memory."
            : "It does not fit. Each of these changes makes it fit:");
        foreach (var remedy in estimate.Remedies)
        {
            terminal.Out.WriteLine($"  {remedy.FieldPath}: {remedy.Value} ({Formats.Size(remedy.PeakDeviceBytes)})");
        }

        return ExitCode.Failed;
    }
}
