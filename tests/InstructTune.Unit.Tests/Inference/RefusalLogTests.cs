using InstructTune.Inference.Admission;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace InstructTune.Unit.Tests.Inference;

public sealed class RefusalLogTests
{
    [Fact]
    public void A_flood_of_refusals_is_a_line_now_and_then_with_their_number()
    {
        var time = new FakeTimeProvider();
        var lines = new Lines();
        var log = new RefusalLog(time, lines);

        for (var i = 0; i < 1000; i++)
        {
            log.Count();
        }
        time.Advance(TimeSpan.FromSeconds(11));
        log.Count();

        Assert.Equal(2, lines.All.Count);
        Assert.StartsWith("1 ", lines.All[0], StringComparison.Ordinal);
        Assert.StartsWith("1000 ", lines.All[1], StringComparison.Ordinal);
    }

    private sealed class Lines : ILogger<RefusalLog>
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Add(formatter(state, exception));
    }
}
