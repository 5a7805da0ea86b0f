using System.Globalization;
using Grpc.AspNetCore.HealthChecks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace InstructTune.Hosting;

/// <summary>What every service process does alike: gRPC with our errors, health, telemetry, drain, limits.</summary>
public static class ServiceDefaults
{
    /// <summary>Messages carry at most 1 MiB of payload by contract; the rest is room for their other fields.</summary>
    public const int MaxMessageBytes = 8 * 1024 * 1024;

    /// <summary>Of checks that fail only when the process must be started again.</summary>
    public const string LiveTag = "live";

    /// <summary>Who answers at all has started.</summary>
    private const string ProcessCheck = "process";

    // After the calls have finished: time for what runs behind them, such as a checkpoint.
    private static readonly TimeSpan _timeAfterDrain = TimeSpan.FromSeconds(10);

    public static void AddServiceDefaults(this WebApplicationBuilder builder, string serviceName)
    {
        HostRequirements.Check();
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2));
        builder.Services.TryAddSingleton(TimeProvider.System);
        AddDrain(builder.Services);
        builder.Services.AddGrpc(options =>
        {
            options.Interceptors.Add<ErrorInterceptor>();
            options.Interceptors.Add<DrainInterceptor>();
            options.MaxReceiveMessageSize = MaxMessageBytes;
            options.MaxSendMessageSize = MaxMessageBytes;
        });
        builder.Services.AddGrpcHealthChecks(AskedApart).AddCheck(ProcessCheck, static () => HealthCheckResult.Healthy());
        AddTelemetry(builder, serviceName);
    }

    /// <summary>Health for gRPC, and <c>/metrics</c> for whoever speaks HTTP/2; see <see cref="MetricsEndpoint"/> for Prometheus.</summary>
    public static void MapServiceDefaults(this WebApplication app)
    {
        var drain = app.Services.GetRequiredService<Drain>();
        app.Use(next => context => drain.CountAsync(context, next));
        app.MapGrpcHealthChecksService();
        app.MapPrometheusScrapingEndpoint(MetricsEndpoint.Path);
    }

    /// <summary>What a caller without a name is told is whether it may call; these are the questions of whoever runs the process.</summary>
    private static void AskedApart(GrpcHealthChecksOptions options)
    {
        options.Services.Map("startup", static check => check.Name == ProcessCheck);
        options.Services.Map("live", static check => check.Name == ProcessCheck || check.Tags.Contains(LiveTag));
        options.Services.Map("ready", static _ => true);
    }

    private static void AddDrain(IServiceCollection services)
    {
        services.AddOptions<DrainOptions>().BindConfiguration(DrainOptions.Section)
            .Validate(options => options.Limit > TimeSpan.Zero, $"{DrainOptions.Section}:Limit must be positive.").ValidateOnStart();
        services.AddOptions<HostOptions>().Configure<IOptions<DrainOptions>>((host, drain) => host.ShutdownTimeout = drain.Value.Limit + _timeAfterDrain);
        services.AddSingleton<Drain>();
        services.AddHostedService(provider => provider.GetRequiredService<Drain>());
        services.AddHealthChecks().AddCheck<DrainHealth>("drain");
    }

    private static void AddTelemetry(WebApplicationBuilder builder, string serviceName)
    {
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(serviceName))
            .WithTracing(tracing => tracing.AddAspNetCoreInstrumentation().AddSource("InstructTune.*", "Grpc.Net.Client", "System.Net.Http"))
            .WithMetrics(metrics => metrics.AddAspNetCoreInstrumentation().AddMeter("InstructTune.*").AddPrometheusExporter());
        builder.Services.AddHostedService<MetricsEndpoint>();

        // Where nobody collects, nothing is sent.
        if (builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 })
        {
            telemetry.UseOtlpExporter();
        }
    }
}
