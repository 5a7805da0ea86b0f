// Fine-tunes a model in two stages, watches the job to its end, and streams an answer of the result.
// With a server running (./instructtune up), a base and two datasets imported:
//   dotnet run --project examples/csharp -- tiny lima reviews "Is this review positive?" [max steps per stage]
using InstructTune.Client;
using InstructTune.V1;

if (args.Length is not (4 or 5))
{
    await Console.Error.WriteLineAsync("Usage: TwoStage BASE GENERALIST SPECIALIST INSTRUCTION [MAX_STEPS]");
    return 2;
}

try
{
    // The server of INSTRUCTTUNE_SERVER, else the one that 'instructtune up' started on this machine.
    using var client = InstructTuneClient.Connect();

    var spec = new FineTuneSpec { BaseModel = $"models/{args[0]}/versions/latest", Seed = 1 };
    foreach (var (stage, dataset) in (ReadOnlySpan<(string, string)>)[("generalist", args[1]), ("specialist", args[2])])
    {
        var maxSteps = args.Length > 4 ? long.Parse(args[4], System.Globalization.CultureInfo.InvariantCulture) : 0;
        spec.Stages.Add(new FineTuneSpec.Types.Stage { StageId = stage, Dataset = $"datasets/{dataset}", Epochs = 1, MaxSteps = maxSteps });
    }

    var created = await client.FineTunes.CreateFineTuneJobAsync(new() { FineTuneJob = new FineTuneJob { Spec = spec } });
    Console.WriteLine($"created {created.Name}");

    // The watch survives lost connections: every event comes once and in order.
    var handle = client.FineTuneJob(created.Name);
    await foreach (var change in handle.WatchAsync())
    {
        if (change.MetricsReported is { } metrics)
        {
            Console.WriteLine($"{metrics.StageId} step {metrics.Step}/{metrics.PlannedSteps} loss {metrics.Values["training_loss"]:0.0000}");
        }
    }

    var job = await handle.GetAsync();
    if (job.Job.State != JobState.Succeeded)
    {
        await Console.Error.WriteLineAsync($"{job.Name} did not succeed: {job.Job.Error?.Message}");
        return 1;
    }

    Console.WriteLine($"model {job.ModelVersion}");
    var question = new GenerateRequest
    {
        Model = job.ModelVersion,
        Instruction = new Instruction { Instruction_ = args[3] },
        MaxOutputTokens = 32,
        Sampling = new SamplingParameters { Temperature = 0 },
    };
    using var answer = client.Inference.StreamGenerate(question);
    while (await answer.ResponseStream.MoveNext(CancellationToken.None))
    {
        Console.Write(answer.ResponseStream.Current.TextDelta);
    }

    Console.WriteLine();
    return 0;
}
catch (InstructTuneException failure)
{
    await Console.Error.WriteLineAsync($"{failure.Reason}: {failure.Message}");
    return 1;
}
