using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace InstructTune.Testing;

/// <summary>How the proxy treats what passes through it.</summary>
public enum Fault
{
    /// <summary>Nothing is wrong.</summary>
    None,

    /// <summary>Connections stay open and nothing passes: the other side seems to be there.</summary>
    HalfOpen,

    /// <summary>Requests arrive, answers are lost: nobody knows what happened.</summary>
    LoseAnswers,

    /// <summary>Every connection is broken, and new ones are refused at once.</summary>
    Refuse,

    /// <summary>Everything passes a few bytes at a time.</summary>
    Drip,
}

/// <summary>A TCP proxy that spoils connections on request. Its faults hold for connections there are and those to come.</summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private const int BufferBytes = 16 * 1024;
    private const int DripBytes = 7;

    private static readonly TimeSpan DripPause = TimeSpan.FromMilliseconds(1);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closing = new();
    private readonly ConcurrentDictionary<Socket, byte> _sockets = new();
    private volatile int _targetPort;
    private readonly Task _accepting;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile int _fault;

    public FaultProxy(int targetPort)
    {
        _targetPort = targetPort;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many connections pass through it now.</summary>
    public int ConnectionCount => _sockets.Count / 2;

    /// <summary>Where connections to come go.</summary>
    public int TargetPort
    {
        get => _targetPort;
        set => _targetPort = value;
    }

    public Fault Fault
    {
        get => (Fault)_fault;
        set
        {
            _fault = (int)value;
            Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
            if (value == Fault.Refuse)
            {
                Reset();
            }
        }
    }

    /// <summary>Breaks every connection there is, as a crash does; new ones are fine.</summary>
    public void Reset()
    {
        foreach (var socket in _sockets.Keys)
        {
            try
            {
                // A reset, not an orderly end.
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
                socket.Close();
            }
            catch (ObjectDisposedException)
            {
                // It ended by itself in the meantime.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Stop();
        await _accepting;
        foreach (var socket in _sockets.Keys)
        {
            socket.Dispose();
        }

        _closing.Dispose();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_closing.Token);
                if (Fault == Fault.Refuse)
                {
                    client.Dispose();
                    continue;
                }

                _ = ConnectAsync(client);
            }
        }
        catch (OperationCanceledException)
        {
            // The proxy closes.
        }
    }

    private async Task ConnectAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        _sockets[client] = 0;
        _sockets[server] = 0;
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, _targetPort, _closing.Token);
            await Task.WhenAny(PumpAsync(client, server, isAnswer: false), PumpAsync(server, client, isAnswer: true));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // One side is gone; so is the other, below.
        }
        finally
        {
            _sockets.TryRemove(client, out _);
            _sockets.TryRemove(server, out _);
            client.Dispose();
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool isAnswer)
    {
        try
        {
            var buffer = new byte[BufferBytes];
            int count;
            while ((count = await from.ReceiveAsync(buffer, _closing.Token)) > 0)
            {
                await WaitWhileHeldAsync();
                if (Fault != Fault.LoseAnswers || !isAnswer)
                {
                    await PassAsync(to, buffer.AsMemory(0, count));
                }
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The connection was broken by one of its ends, or by this proxy.
        }
    }

    private async Task WaitWhileHeldAsync()
    {
        while (Fault == Fault.HalfOpen)
        {
            var changed = Volatile.Read(ref _changed).Task;
            if (Fault == Fault.HalfOpen)
            {
                await changed.WaitAsync(_closing.Token);
            }
        }
    }

    private async Task PassAsync(Socket to, ReadOnlyMemory<byte> content)
    {
        if (Fault != Fault.Drip)
        {
            await to.SendAsync(content, _closing.Token);
            return;
        }

        for (var position = 0; position < content.Length; position += DripBytes)
        {
            await to.SendAsync(content.Slice(position, Math.Min(DripBytes, content.Length - position)), _closing.Token);
            await Task.Delay(DripPause, TimeProvider.System, _closing.Token);
        }
    }
}
