using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Demo;
using InstructTune.Cli.Output;
using InstructTune.SyntheticWorld;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune demo</c>: the question of two-stage tuning, answered on this machine in minutes.</summary>
internal static class DemoCommand
{
    private static readonly Option<double> Overlap = new("--overlap")
    {
        Description = "How much of the generalist data is related to the specialist's task, 0 to 1; at 0 it has nothing to teach.",
        DefaultValueFactory = _ => 1,
        HelpName = "SHARE",
    };

    private static readonly Option<ulong> Seed = new("--seed") { Description = "Makes another world and other runs.", DefaultValueFactory = _ => 1, HelpName = "N" };

    private static readonly Option<bool> Quick = new("--quick") { Description = "A few steps only: shows that everything works here; its figures mean nothing." };

    private static readonly Option<string?> Data = new("--data")
    {
        Description = "Real data: a folder with generalist/lima.json or generalist/alpaca_gpt4_demo_999.json, and superni/sentiment/*.json.",
        HelpName = "DIR",
    };

    private static readonly Option<string?> Base = new("--base") { Description = "Base model for --data: a Hugging Face LLaMA folder.", HelpName = "DIR" };
    private static readonly Option<string?> Redis = new("--redis") { Description = "Use this Redis for jobs.", HelpName = "HOST:PORT" };
    private static readonly Option<bool> Keep = new("--keep") { Description = "Keep the server's data folder, to look at it with 'instructtune up'." };

    private static readonly Option<string> Out = new("--out")
    {
        Description = "Where the report goes.",
        DefaultValueFactory = _ => "instructtune-demo",
        HelpName = "DIR",
    };

    private static readonly Option<string?> WriteData = new("--write-data")
    {
        Description = "Only write the synthetic world's data to this folder, as files for 'dataset import': generalist.jsonl, specialist.jsonl, heldout.jsonl.",
        HelpName = "DIR",
    };

    public static Command Create(CliContext context) =>
        new Command("demo", "Does a generalist stage before the specialist stage help? Trains, measures and reports, in minutes on a CPU.")
            .With(Overlap, Seed, Quick, Data, Base, Redis, Keep, Out, WriteData)
            .WithAction(context, RunAsync);

    private static async Task<int> RunAsync(CommandCall call)
    {
        var options = Read(call);
        return call.Value(WriteData) is { } folder ? WriteFiles(call, options, folder) : await new DemoSession(call.Context, options, call.IsJson).RunAsync();
    }

    private static int WriteFiles(CommandCall call, DemoOptions options, string folder)
    {
        if (options.DataFolder is not null)
        {
            throw CliException.Usage("--write-data is for the synthetic world.");
        }

        foreach (var (part, count) in WorldFiles.Write(World.Create(options.World), folder))
        {
            call.Terminal.Out.WriteLine($"{WorldFiles.PathOf(folder, part)}: {Formats.Count(count)} examples");
        }

        return ExitCode.Ok;
    }

    private static DemoOptions Read(CommandCall call)
    {
        var options = new DemoOptions
        {
            Overlap = call.Value(Overlap),
            Seed = call.Value(Seed),
            Quick = call.Value(Quick),
            DataFolder = call.Value(Data),
            BaseFolder = call.Value(Base),
            Redis = call.Value(Redis),
            Keep = call.Value(Keep),
            OutFolder = Path.GetFullPath(call.Value(Out)!),
        };
        if (options.Overlap is not (>= 0 and <= 1))
        {
            throw CliException.Usage("--overlap is a share between 0 and 1.");
        }

        if ((options.DataFolder is null) != (options.BaseFolder is null))
        {
            throw CliException.Usage("--data and --base belong together: real data needs a base model that knows the language.");
        }

        return options.DataFolder is not null && (call.Has(Overlap) || options.Quick)
            ? throw CliException.Usage("--overlap and --quick are for the synthetic world.")
            : options;
    }
}
