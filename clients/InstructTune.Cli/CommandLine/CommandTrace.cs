using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace InstructTune.Cli.CommandLine;

/// <summary>
/// The root of a trace: the calls of a command, the jobs that they create and the steps of these are below it. Its own span is
/// sent to a collector only where the environment names one, as every OpenTelemetry program does.
/// </summary>
internal sealed class CommandTrace : IDisposable
{
    public const string SourceName = "InstructTune.Cli";

    private static readonly ActivitySource Source = new(SourceName);
    // Between the command and what a server records of it.
    private static readonly string[] SourceNames = [SourceName, "Grpc.Net.Client", "System.Net.Http"];
    private static readonly string[] Endpoints = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

    private readonly TracerProvider? _exporter;
    private readonly Activity _activity;

    private CommandTrace(TracerProvider? exporter, Activity activity) => (_exporter, _activity) = (exporter, activity);

    public static CommandTrace Start(string command)
    {
        var isCollected = Array.Exists(Endpoints, name => Environment.GetEnvironmentVariable(name) is { Length: > 0 });
        var exporter = isCollected
            ? Sdk.CreateTracerProviderBuilder().ConfigureResource(resource => resource.AddService("instructtune.cli")).AddSource(SourceNames).AddOtlpExporter().Build()
            : null;
        var name = "instructtune " + command;
        if (Source.StartActivity(name, ActivityKind.Client) is { } collected)
        {
            return new CommandTrace(exporter, collected);
        }

        // Nobody listens here, but the server may: without the flag it would record nothing of what this command asks for.
        return new CommandTrace(exporter, new Activity(name) { ActivityTraceFlags = ActivityTraceFlags.Recorded }.Start());
    }

    public void Dispose()
    {
        _activity.Dispose();
        // Sends what is left.
        _exporter?.Dispose();
    }
}
