using System.Globalization;
using System.Text.RegularExpressions;
using InstructTune.Kernels;

namespace InstructTune.Benchmarks.Serving;

/// <summary>Our kernels beside llama.cpp: same files, same prompts, in turns.</summary>
internal static class ServingBenchmark
{
    private const string UsualRounds = "3";

    public static void Run(string[] args)
    {
        var options = args.Chunk(2).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
        var pattern = new Regex(options.GetValueOrDefault("--rows", ""), RegexOptions.None, TimeSpan.FromSeconds(1));
        var rows = ServingRow.All.Where(row => pattern.IsMatch($"{row.Model.Name}: {row.Name}")).ToArray();
        var models = new ServingModels(options["--models"], options["--smollm"]);
        var rounds = int.Parse(options.GetValueOrDefault("--rounds", UsualRounds), CultureInfo.InvariantCulture);
        using var team = new Team(Environment.ProcessorCount);
        using var peer = new PeerProcess(options["--peer"]);
        foreach (var model in rows.Select(row => row.Model).Append(new ServingModel(ServingModel.SmolLm, Modeling.Gguf.GgufTensorType.F32)).Distinct())
        {
            models.File(model);
        }

        var (equal, prompts) = GreedyEquality.Check(models, peer, team);
        Console.WriteLine($"Greedy tokens in float32: {equal} of {prompts} prompts equal.");
        var table = new ServingTable(MachineRoofs.Measure(team), ratiosCount: equal == prompts);
        foreach (var group in rows.GroupBy(row => row.Model))
        {
            Measure(group.Key, [.. group], rounds, models, peer, team, table);
        }

        Console.WriteLine(table.Fingerprint(options["--commit"], peer.Ask(new PeerRequest { Action = "facts" }).Text, team.Size));
        if (!table.Judge(equal, prompts))
        {
            Environment.ExitCode = 1;
        }
    }

    private static void Measure(ServingModel model, ServingRow[] rows, int rounds, ServingModels models, PeerProcess peer, Team team, ServingTable table)
    {
        var path = models.File(model);
        using var ours = new OurModel(path, team);
        peer.Ask(new PeerRequest { Action = "load", Path = path, Threads = team.Size });
        var settings = PeerCalibration.Best(peer);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\n{model.Name} ({ours.SizeBytes / 1e6:F0} MB here); llama.cpp is fastest with {settings}"));
        table.Head();
        foreach (var row in rows)
        {
            var adapters = Enumerable.Range(0, row.Adapters).ToArray();
            ours.Open(row.Streams, row.TokensPerStream, [.. adapters.Select(i => models.AdapterFolder(model.Size, i))]);
            peer.Ask(new PeerRequest
            {
                Action = "contexts", Streams = row.Streams, TokensPerStream = row.TokensPerStream, Settings = settings,
                Adapters = [.. adapters.Select(i => models.AdapterGguf(model.Size, i))],
            });
            table.Add(row, ours, RunsOf(row, rounds, prompts => ours.Run(prompts, row.Steps), prompts => peer.Ask(new PeerRequest { Action = "run", Prompts = prompts, Steps = row.Steps })));
        }
    }

    /// <summary>A B, B A, A B, after a round that does not count; both get the same prompts, which differ from round to round.</summary>
    private static (DecodeRun[] Ours, DecodeRun[] Theirs) RunsOf(ServingRow row, int rounds, Func<int[][], DecodeRun> ours, Func<int[][], DecodeRun> theirs)
    {
        var (a, b) = (new List<DecodeRun>(), new List<DecodeRun>());
        var warm = PromptsOf(row with { PromptTokens = Math.Min(row.PromptTokens, 32) }, -1);
        ours(warm);
        theirs(warm);
        for (var round = 0; round < (row.Kind == RowKind.FirstToken ? 2 * rounds : rounds); round++)
        {
            var prompts = PromptsOf(row, round);
            if (round % 2 == 0)
            {
                a.Add(ours(prompts));
            }

            b.Add(theirs(prompts));
            if (round % 2 == 1)
            {
                a.Add(ours(prompts));
            }
        }

        return ([.. a], [.. b]);
    }

    private static int[][] PromptsOf(ServingRow row, int round) =>
        [.. Enumerable.Range(0, row.Streams).Select(stream => Enumerable.Range(0, row.PromptTokens).Select(i => 100 + ((((round + 2) * 7919) + (stream * 104_729) + (i * 31)) % 900)).ToArray())];
}
