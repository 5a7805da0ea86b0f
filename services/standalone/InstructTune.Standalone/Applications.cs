using System.Net;
using InstructTune.Dataset;
using InstructTune.Evaluation;
using InstructTune.Gateway;
using InstructTune.Hosting;
using InstructTune.Inference;
using InstructTune.Trainer;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace InstructTune.Standalone;

/// <summary>
/// The two web applications of the process: the services, which talk gRPC to each other over one Unix socket, and the
/// gateway in front of them on a loopback port. They differ from the cluster in configuration only.
/// </summary>
internal static class Applications
{
    private static readonly string[] _peers = ["Dataset", "Trainer", "Evaluation", "Inference"];

    public static WebApplication BuildServices(StandaloneOptions options, string socketPath, string storageRoot, string redis)
    {
        var builder = CreateBuilder(options, socketPath);
        builder.Configuration["Storage:Root"] = storageRoot;
        builder.Configuration["Redis:Configuration"] = redis;
        builder.Configuration["Trainer:Role"] ??= "All";
        builder.Configuration["Redis:SelfCheck"] = "false"; // done before anything else started
        builder.Configuration["Metrics:Bind"] ??= "127.0.0.1";
        builder.AddServiceDefaults("instructtune.standalone");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(socketPath));
        builder.AddDataset();
        builder.AddTrainer();
        builder.AddEvaluation();
        builder.AddInference();
        var app = builder.Build();
        app.MapServiceDefaults();
        app.MapDataset();
        app.MapTrainer();
        app.MapEvaluation();
        app.MapInference();
        return app;
    }

    public static WebApplication BuildGateway(StandaloneOptions options, string socketPath, string apiKey)
    {
        var builder = CreateBuilder(options, socketPath);
        builder.Configuration["Gateway:ApiKeys:0"] = apiKey;
        // Both applications count in one process: the services' endpoint shows all of it.
        builder.Configuration["Metrics:Port"] = null;
        // And the services' exporter sends the spans of both.
        builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] = null;
        builder.AddServiceDefaults("instructtune.gateway");
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, options.Port, endpoint => endpoint.Protocols = HttpProtocols.Http2));
        builder.AddGateway();
        var app = builder.Build();
        app.MapServiceDefaults();
        app.MapGateway();
        return app;
    }

    private static WebApplicationBuilder CreateBuilder(StandaloneOptions options, string socketPath)
    {
        // Slim: no appsettings.json and no ASPNETCORE_URLS of whatever folder and shell the process was started from.
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(
            _peers.Select(peer => KeyValuePair.Create($"Peers:{peer}", (string?)$"unix:{socketPath}")));
        builder.Configuration.AddInMemoryCollection(options.Settings);
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error); // no cookies here: its keys protect nothing

        // The process decides when to stop and in which order; neither application listens to signals.
        builder.Services.Replace(ServiceDescriptor.Singleton<IHostLifetime, QuietLifetime>());
        return builder;
    }

    private sealed class QuietLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
