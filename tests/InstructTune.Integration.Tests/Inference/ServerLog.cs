using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>What a server says about its own failures, with stacks: a caller is told INTERNAL and a trace id only.</summary>
internal sealed class ServerLog : ILoggerProvider, ILogger
{
    private const int MostLines = 200;

    private readonly ConcurrentQueue<string> _errors = new();

    public IReadOnlyCollection<string> Errors => _errors;

    /// <summary>gRPC calls it an error when a caller leaves before its request was read.</summary>
    public ILogger CreateLogger(string categoryName) => categoryName.StartsWith("InstructTune.", StringComparison.Ordinal) ? this : NullLogger.Instance;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel) && _errors.Count < MostLines)
        {
            _errors.Enqueue($"{formatter(state, exception)} {exception}");
        }
    }

    public void Dispose()
    {
    }
}
