namespace InstructTune.Inference.Engine;

/// <summary>What the scheduler held at one moment. Counts are by <see cref="Urgency"/>.</summary>
internal sealed record EngineSnapshot(int[] Running, int[] Waiting)
{
    private static readonly int _urgencies = Enum.GetValues<Urgency>().Length;

    public static EngineSnapshot Empty { get; } = new(new int[_urgencies], new int[_urgencies]);

    /// <summary>Arrival of the one that waits longest, as a time stamp; null where nobody waits.</summary>
    public long?[] OldestWaiting { get; private init; } = new long?[_urgencies];

    /// <summary>Cache memory of running sequences, of prefixes, and of all.</summary>
    public long UsedBytes { get; private init; }

    public long PrefixBytes { get; private init; }

    public long TotalBytes { get; private init; }

    public long Preemptions { get; private init; }

    public long PrefixQueries { get; private init; }

    public long PrefixHits { get; private init; }

    public static EngineSnapshot Of(Scheduler scheduler)
    {
        var (running, waiting) = (new int[_urgencies], new int[_urgencies]);
        var oldest = new long?[_urgencies];
        foreach (var lane in scheduler.Lanes)
        {
            foreach (var sequence in lane.Running)
            {
                running[(int)sequence.Life.Standing.Urgency]++;
            }
            foreach (var sequence in lane.Waiting)
            {
                var urgency = (int)sequence.Life.Standing.Urgency;
                waiting[urgency]++;
                oldest[urgency] = Math.Min(oldest[urgency] ?? long.MaxValue, sequence.Life.Arrived);
            }
        }
        return new EngineSnapshot(running, waiting)
        {
            OldestWaiting = oldest,
            UsedBytes = scheduler.Lanes.Sum(lane => lane.Slots.RentedBytes),
            PrefixBytes = scheduler.Lanes.Sum(lane => lane.Slots.SingleBytes),
            TotalBytes = scheduler.Lanes.Sum(lane => lane.Slots.SizeBytes),
            Preemptions = scheduler.Figures.Preemptions,
            PrefixQueries = scheduler.Figures.PrefixQueries,
            PrefixHits = scheduler.Figures.PrefixHits,
        };
    }
}
