using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace InstructTune.Gateway;

/// <summary>One address in front of every service: checks the API key, then passes gRPC on unchanged.</summary>
public static class GatewayModule
{
    public static void AddGateway(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<GatewayOptions>().BindConfiguration(GatewayOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<GatewayOptions>, GatewayOptionsValidator>();
        builder.Services.AddSingleton<ApiKeys>();
        builder.Services.AddSingleton<IForwarderHttpClientFactory, PeerHttpClientFactory>();
        builder.Services.AddSingleton<IProxyConfigProvider>(provider => new InMemoryConfigProvider(
            Routes.All(), Routes.Clusters(provider.GetRequiredService<IConfiguration>())));
        builder.Services.AddReverseProxy();
    }

    public static void MapGateway(this WebApplication app)
    {
        app.UseMiddleware<ApiKeyMiddleware>();
        app.MapReverseProxy(proxy =>
        {
            proxy.UseMiddleware<AdministratorMiddleware>();
            proxy.UseMiddleware<DrainMiddleware>();
            proxy.UseMiddleware<UnreachablePeerMiddleware>();
        });
    }
}
