using InstructTune.Hosting;
using Yarp.ReverseProxy.Forwarder;

namespace InstructTune.Gateway;

/// <summary>One HTTP/2 client for each service, over TCP or a Unix socket.</summary>
internal sealed class PeerHttpClientFactory : IForwarderHttpClientFactory
{
    public HttpMessageInvoker CreateClient(ForwarderHttpClientContext context)
    {
        if (context.OldClient is not null && context.NewMetadata?[Routes.AddressKey] == context.OldMetadata?[Routes.AddressKey])
        {
            return context.OldClient;
        }

        var handler = PeerChannel.CreateHandler(context.NewMetadata![Routes.AddressKey]);
        handler.AllowAutoRedirect = false;
        handler.UseCookies = false;
        return new HttpMessageInvoker(handler, disposeHandler: true);
    }
}
