using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Report;
using InstructTune.Cli.Server;
using InstructTune.Client;

namespace InstructTune.Cli.Demo;

/// <summary>The demonstration around its experiment: a server of its own, which is gone afterwards however it ends, and the report.</summary>
internal sealed class DemoSession(CliContext context, DemoOptions options, bool isJson)
{
    public async Task<int> RunAsync()
    {
        var scratch = Directory.CreateTempSubdirectory("instructtune-demo-");
        var keep = options.Keep;
        try
        {
            var data = ChooseData(scratch.FullName);
            data.Check();
            var folder = Path.Combine(scratch.FullName, "home");
            var arguments = new StandaloneArguments(folder, 0, options.Redis);
            HostChecks.Check(arguments);
            context.Terminal.Note("[0:00] Starting the server");
            await using var server = StandaloneProcess.Start(arguments, context.Time, _ => { });
            var endpoint = await server.WaitUntilReadyAsync(folder, context.Interrupts.First);
            using var client = new InstructTuneClient(new ClientOptions { Address = endpoint.Address, ApiKey = endpoint.ApiKey });
            var training = new DemoTraining(client, context);
            try
            {
                var result = await new DemoRun(client, context, data, options.Seed, training).RunAsync();
                Publish(result);
                return ExitCode.Ok;
            }
            catch (InstructTuneException) when (server.HasExited)
            {
                throw new CliException($"The server of the demonstration ended by itself: {server.LastLine}");
            }
            catch (OperationCanceledException) when (context.Interrupts.First.IsCancellationRequested)
            {
                keep |= await StopTrainingAsync(training, folder);
                return ExitCode.Interrupted;
            }
        }
        finally
        {
            Leave(scratch, keep);
        }
    }

    private IDemoData ChooseData(string scratch) => options is { DataFolder: { } folder, BaseFolder: { } baseFolder }
        ? new RealDemoData(folder, baseFolder, options.Seed)
        : new SyntheticDemoData(options.World, DemoPlan.Synthetic(options.Quick), DemoBase.Find(), scratch);

    private void Publish(DemoResult result)
    {
        var path = ReportFiles.Write(options.OutFolder, result);
        if (isJson)
        {
            context.Terminal.Out.WriteLine(ReportFiles.Json(result));
        }
        else
        {
            DemoText.WriteResult(context.Terminal, result);
        }

        DemoText.WriteNext(context.Terminal, result, path, isReal: options.DataFolder is not null);
    }

    /// <summary>True when something was stopped that can be resumed.</summary>
    private async Task<bool> StopTrainingAsync(DemoTraining training, string folder)
    {
        var jobs = training.Unfinished;
        if (jobs.Count == 0)
        {
            context.Terminal.Note("Interrupted; nothing is left running.");
            return false;
        }

        context.Terminal.Note("Stopping after the current step; a checkpoint is saved. Ctrl+C again stops waiting for it.");
        try
        {
            await training.CancelAsync(context.Interrupts.Second);
        }
        catch (Exception e) when (e is OperationCanceledException or InstructTuneException)
        {
            context.Terminal.Note("Not waited for: the trainings end with the server, and resume from their last checkpoints.");
        }

        context.Terminal.Note($"Resume with: instructtune up --data-folder {folder}");
        foreach (var job in jobs)
        {
            context.Terminal.Note($"  and then: INSTRUCTTUNE_HOME={folder} instructtune finetune resume {job} --watch");
        }

        return true;
    }

    private void Leave(DirectoryInfo scratch, bool keep)
    {
        if (keep)
        {
            context.Terminal.Note($"The data folder is kept: {Path.Combine(scratch.FullName, "home")}");
            return;
        }

        scratch.Delete(recursive: true);
    }
}
