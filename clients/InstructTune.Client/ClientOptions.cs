namespace InstructTune.Client;

/// <summary>How a client reaches a server and how long it waits for it. Every property has a default that works.</summary>
public sealed record ClientOptions
{
    /// <summary>Where the gateway or the standalone process listens, such as <c>http://127.0.0.1:8080</c>.</summary>
    public required Uri Address { get; init; }

    /// <summary>Sent with every call as <c>authorization: Bearer KEY</c>; empty sends nothing.</summary>
    public string ApiKey { get; init; } = "";

    /// <summary>Deadline of calls that answer at once; higher tolerates a slower server.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Deadline of calls that run a model: Generate, StreamGenerate and Score.</summary>
    public TimeSpan GenerationTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Deadline of uploads and of other streams, watches among them, which reconnect after it.</summary>
    public TimeSpan StreamTimeout { get; init; } = TimeSpan.FromHours(6);

    /// <summary>How long a watch tries to reach a server that has gone away before it gives up.</summary>
    public TimeSpan ReconnectTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The clock behind deadlines and waits.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
