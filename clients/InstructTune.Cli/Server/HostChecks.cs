using System.Net;
using System.Net.Sockets;
using System.Text;
using InstructTune.Cli.CommandLine;

namespace InstructTune.Cli.Server;

/// <summary>What is looked at before the server is started, because its own message would come late or be obscure.</summary>
internal static class HostChecks
{
    public static void Check(StandaloneArguments arguments)
    {
        RequireIcu();
        RequireFreePort(arguments.Port);
    }

    public static void RequireIcu()
    {
        // In invariant mode Normalize returns its input, and tokenizers would silently give wrong ids.
        if ("e\u0301".Normalize(NormalizationForm.FormC) != "\u00e9")
        {
            throw new CliException(
                "Unicode support (ICU) is missing or switched off: install it (Debian, Ubuntu: apt-get install libicu-dev) and unset DOTNET_SYSTEM_GLOBALIZATION_INVARIANT.");
        }
    }

    public static void RequireFreePort(int port)
    {
        if (port is < 0 or > 65535)
        {
            throw CliException.Usage($"--port {port}: a port is between 0 (any free one) and 65535.");
        }

        if (port == 0)
        {
            return;
        }

        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
        }
        catch (SocketException e)
        {
            throw e.SocketErrorCode == SocketError.AccessDenied
                ? new CliException($"Port {port} may not be used by this user: choose one above 1023 with --port.", cause: e)
                : new CliException($"Port {port} is in use: stop what listens there, or choose another with --port (0 takes any free one).", cause: e);
        }
    }
}
