using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune serve-stats</c>: what the inference service does, every few seconds.</summary>
internal static class ServeStatsCommand
{
    public static Command Create(CliContext context)
    {
        var once = new Option<bool>("--once") { Description = "One look, with rates since the start." };
        var every = new Option<double>("--every") { Description = "Seconds between two looks.", DefaultValueFactory = _ => 2, HelpName = "SECONDS" };
        return new Command("serve-stats", "What the server answers right now: running, waiting, cache, adapters in memory, tokens per second.")
            .With(once, every).WithAction(context, call => RunAsync(call, call.Value(once), TimeSpan.FromSeconds(Math.Clamp(call.Value(every), 0.1, 3600))));
    }

    private static async Task<int> RunAsync(CommandCall call, bool isOnce, TimeSpan every)
    {
        using var client = call.Connect();
        ServingStats? before = null;
        while (true)
        {
            var now = await client.Inference.GetServingStatsAsync(new GetServingStatsRequest(), cancellationToken: call.Ct);
            Write(call, before, now);
            if (isOnce)
            {
                return ExitCode.Ok;
            }
            before = now;
            await Task.Delay(every, call.Context.Time, call.Ct);
        }
    }

    private static void Write(CommandCall call, ServingStats? before, ServingStats now)
    {
        if (call.IsJson)
        {
            JsonText.WriteLine(call.Terminal, now);
            return;
        }
        var view = new ServingView(before, now);
        call.Terminal.Out.WriteLine(view.Line);
        if (now.Models.Count > 0)
        {
            view.Models().WriteTo(call.Terminal);
        }
    }
}
