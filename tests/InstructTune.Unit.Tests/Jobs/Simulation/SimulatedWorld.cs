namespace InstructTune.Unit.Tests.Jobs.Simulation;

/// <summary>A clock, and a network that is late, loses messages and loses answers. Everything follows from the seed.</summary>
internal sealed class SimulatedWorld(int seed)
{
    private const double LossRate = 0.03;
    private const double LateRate = 0.02;
    private const int UsualDelayMs = 20;
    private const int LateDelayMs = 60_000;

    private readonly PriorityQueue<Action, (long At, long Order)> _events = new();
    private long _order;

    public Random Random { get; } = new(seed);

    public long NowMs { get; private set; }

    public long Steps { get; private set; }

    public void After(long delayMs, Action action) => _events.Enqueue(action, (NowMs + delayMs, _order++));

    /// <summary>Calls the store and hands its answer back, if both arrive.</summary>
    public void Call<T>(Func<T> call, Action<T> onAnswer)
    {
        if (IsLost())
        {
            return;
        }

        After(Delay(), () =>
        {
            var answer = call();
            if (!IsLost())
            {
                After(Delay(), () => onAnswer(answer));
            }
        });
    }

    public void Run(long steps)
    {
        for (Steps = 0; Steps < steps; Steps++)
        {
            _events.TryDequeue(out var next, out var when);
            NowMs = when.At;
            next!();
        }
    }

    private bool IsLost() => Random.NextDouble() < LossRate;

    private long Delay() => Random.NextDouble() < LateRate ? Random.Next(LateDelayMs) : Random.Next(1, UsualDelayMs);
}
