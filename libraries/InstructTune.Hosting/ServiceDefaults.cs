using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
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

    // Running streams may finish within this time; Kubernetes gives 45 s.
    private static readonly TimeSpan _shutdownTimeout = TimeSpan.FromSeconds(25);

    public static void AddServiceDefaults(this WebApplicationBuilder builder, string serviceName)
    {
        HostRequirements.Check();
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2));
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = _shutdownTimeout);
        builder.Services.AddGrpc(options =>
        {
            options.Interceptors.Add<ErrorInterceptor>();
            options.Interceptors.Add<DrainInterceptor>();
            options.MaxReceiveMessageSize = MaxMessageBytes;
            options.MaxSendMessageSize = MaxMessageBytes;
        });
        builder.Services.AddGrpcHealthChecks();
        AddTelemetry(builder, serviceName);
    }

    /// <summary>Health for gRPC, and <c>/metrics</c> for whoever speaks HTTP/2; see <see cref="MetricsEndpoint"/> for Prometheus.</summary>
    public static void MapServiceDefaults(this WebApplication app)
    {
        app.MapGrpcHealthChecksService();
        app.MapPrometheusScrapingEndpoint(MetricsEndpoint.Path);
    }

    private static void AddTelemetry(WebApplicationBuilder builder, string serviceName)
    {
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(serviceName))
            .WithTracing(tracing => tracing.AddAspNetCoreInstrumentation().AddSource("InstructTune.*"))
            .WithMetrics(metrics => metrics.AddAspNetCoreInstrumentation().AddMeter("InstructTune.*").AddPrometheusExporter());
        builder.Services.AddHostedService<MetricsEndpoint>();

        // Where nobody collects, nothing is sent.
        if (builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 })
        {
            telemetry.UseOtlpExporter();
        }
    }
}
