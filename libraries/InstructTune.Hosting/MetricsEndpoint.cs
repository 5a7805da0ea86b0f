using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;

namespace InstructTune.Hosting;

/// <summary>
/// The figures of this process for Prometheus, on the port <c>Metrics:Port</c>. A port of its own, because Prometheus speaks
/// HTTP/1.1 and the services' ports, without TLS, can speak one version only: HTTP/2, for gRPC.
/// </summary>
public sealed class MetricsEndpoint(IConfiguration configuration, MeterProvider meters) : IHostedService
{
    /// <summary>Where the text is.</summary>
    public const string Path = "/metrics";

    private WebApplication? _app;

    /// <summary>Such as <c>http://0.0.0.0:9464</c>; null where there is none.</summary>
    public string? Address => _app?.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault();

    /// <inheritdoc />
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // Absent: none. 0 takes a free port.
        if (configuration["Metrics:Port"] is not { Length: > 0 } port)
        {
            return;
        }

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Parse(configuration["Metrics:Bind"] ?? "0.0.0.0"),
            int.Parse(port, System.Globalization.CultureInfo.InvariantCulture),
            endpoint => endpoint.Protocols = HttpProtocols.Http1));
        _app = builder.Build();
        _app.MapPrometheusScrapingEndpoint(Path, meters, null, null);
        await _app.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_app is not null)
        {
            await _app.StopAsync(cancellationToken);
            await _app.DisposeAsync();
        }
    }
}
