using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary>Creates a run and shows it to its end; an interrupt cancels it.</summary>
internal static class EvaluationRunner
{
    public static async Task<EvaluationRun> RunAsync(
        InstructTuneClient client, Terminal terminal, EvaluationRun wanted, Interrupts interrupts, string? title = null, bool isBrief = false)
    {
        var ct = interrupts.First;
        var created = await client.Evaluations.CreateEvaluationRunAsync(new() { EvaluationRun = wanted }, cancellationToken: ct);
        var handle = client.EvaluationRun(created.Name);
        try
        {
            await JobDisplay.FollowAsync(
                terminal, title ?? "evaluating " + Names.Short(created.ModelVersion), handle.WatchAsync(0, ct), null, ct, isBrief);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await handle.CancelAsync(interrupts.Second);
            terminal.Note($"Run {Names.Short(created.Name)} was asked to stop; its answers so far are kept.");
            throw;
        }

        var run = await handle.GetAsync(ct);
        return run.Job.State == JobState.Succeeded
            ? run
            : throw new CliException(
                $"Run {Names.Short(run.Name)} {Formats.Lower(run.Job.State)}: {run.Job.Error?.Message ?? "no reason given"}");
    }
}
