using System.Net;
using Grpc.Net.Client;
using InstructTune.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace InstructTune.Testing;

/// <summary>One service, or a few, in this process behind real Kestrel and HTTP/2 on a free loopback port.</summary>
public sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private GrpcChannel? _channel;

    private TestServer(WebApplication app)
    {
        _app = app;
        Address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
    }

    /// <summary>Such as <c>http://127.0.0.1:40123</c>.</summary>
    public string Address { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>A channel to the server, made once and closed with it.</summary>
    public GrpcChannel Channel => _channel ??= GrpcChannel.ForAddress(
        Address, new GrpcChannelOptions { MaxReceiveMessageSize = ServiceDefaults.MaxMessageBytes });

    /// <param name="add">Registers the service, such as <c>builder => builder.AddDataset()</c>.</param>
    /// <param name="map">Maps it, such as <c>app => app.MapDataset()</c>.</param>
    /// <param name="settings">
    /// Configuration, such as <c>("Storage:Root", folder)</c>; <c>Test:Socket</c> listens on a Unix socket as well.
    /// </param>
    public static async Task<TestServer> StartAsync(
        Action<WebApplicationBuilder> add, Action<WebApplication> map, params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(
            settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        builder.Logging.ClearProviders();
        builder.AddServiceDefaults("instructtune.test");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http2);
            if (builder.Configuration["Test:Socket"] is { } socket)
            {
                kestrel.ListenUnixSocket(socket, endpoint => endpoint.Protocols = HttpProtocols.Http2);
            }
        });
        add(builder);
        var app = builder.Build();
        app.MapServiceDefaults();
        map(app);
        await app.StartAsync();
        return new TestServer(app);
    }

    public async ValueTask DisposeAsync()
    {
        _channel?.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
