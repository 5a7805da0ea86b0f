using InstructTune.Dataset;
using InstructTune.Evaluation;
using InstructTune.Inference;
using InstructTune.Testing;
using InstructTune.Trainer;
using Microsoft.AspNetCore.Builder;

namespace InstructTune.Integration.Tests;

/// <summary>The four services behind one address, each other's peers, with a store at the address given.</summary>
internal static class AllServices
{
    public static Task<TestServer> StartAsync(string redis, string storageRoot, Action<WebApplicationBuilder>? configure = null)
    {
        // Peers meet over a socket whose name is known before the server starts, unlike its port.
        var socket = Path.Combine(storageRoot, "s.sock");
        return TestServer.StartAsync(
            builder =>
            {
                configure?.Invoke(builder);
                builder.AddDataset();
                builder.AddTrainer();
                builder.AddEvaluation();
                builder.AddInference();
            },
            app =>
            {
                app.MapDataset();
                app.MapTrainer();
                app.MapEvaluation();
                app.MapInference();
            },
            [
                ("Storage:Root", storageRoot),
                ("Redis:Configuration", redis),
                ("Trainer:Role", "All"),
                ("Test:Socket", socket),
                .. new[] { "Dataset", "Trainer", "Evaluation", "Inference" }.Select(peer => ($"Peers:{peer}", "unix:" + socket)),
            ]);
    }
}
