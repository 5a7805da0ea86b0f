using InstructTune.Kernels;

namespace InstructTune.Numerics.Tests.Kernels;

public sealed class TeamTests
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    [InlineData(5, false)]
    [InlineData(5, true)]
    public void Every_member_finishes_a_phase_before_one_begins_the_next(int size, bool pinned)
    {
        using var team = new Team(size, pinned);
        var counts = new int[200];
        var early = 0;
        team.Run(_ =>
        {
            for (var phase = 0; phase < counts.Length; phase++)
            {
                Interlocked.Increment(ref counts[phase]);
                team.Sync();
                if (Volatile.Read(ref counts[phase]) != team.Size)
                {
                    Interlocked.Increment(ref early);
                }
            }
        });

        Assert.Equal(0, early);
        Assert.All(counts, count => Assert.Equal(team.Size, count));
    }

    [Fact]
    public void Many_short_runs_reach_every_member_each_time()
    {
        using var team = new Team(3);
        var seen = new int[3];
        for (var run = 0; run < 300; run++)
        {
            team.Run(member => seen[member]++);
        }

        Assert.Equal([300, 300, 300], seen);
    }

    [Fact]
    public void A_fault_of_any_member_reaches_the_caller_and_the_team_works_on()
    {
        using var team = new Team(2);
        Assert.Throws<InvalidOperationException>(() => team.Run(member => throw new InvalidOperationException($"{member}")));
        var ran = 0;
        team.Run(_ => Interlocked.Increment(ref ran));
        Assert.Equal(2, ran);
    }

    [Fact]
    public void Members_of_a_pinned_team_run_on_a_processor_of_their_own_and_the_caller_where_it_may()
    {
        var before = AllowedProcessors();
        using var team = new Team(Environment.ProcessorCount, pinned: true);
        var processors = new string[team.Size];

        team.Run(member => processors[member] = AllowedProcessors());

        Assert.Equal(before, processors[0]);
        Assert.Equal([.. Processors.Allowed().Skip(1).Take(team.Size - 1).Select(processor => $"{processor}")], processors[1..]);
    }

    [Fact]
    public void A_pinned_team_in_a_process_of_one_processor_is_its_caller_alone()
    {
        var (isPinned, size, sum) = (false, 0, 0);
        // The threads of a team may run where the thread that makes it may.
        var restricted = new Thread(() =>
        {
            isPinned = Processors.TryPin(Processors.Allowed()[^1]);
            using var team = new Team(5, pinned: true);
            size = team.Size;
            team.Run(member => Interlocked.Add(ref sum, member + 1));
        });
        restricted.Start();
        restricted.Join();

        Assert.True(isPinned);
        Assert.Equal((1, 1), (size, sum));
    }

    [Theory]
    [InlineData(100, 3, 8)]
    [InlineData(7, 4, 8)]
    [InlineData(64, 2, 1)]
    public void Shares_cover_everything_once_and_begin_at_multiples(int items, int members, int multiple)
    {
        var shares = Enumerable.Range(0, members).Select(member => Share.Of(items, member, members, multiple)).ToArray();
        Assert.Equal(Enumerable.Range(0, items), shares.SelectMany(share => Enumerable.Range(share.From, share.To - share.From)));
        Assert.All(shares, share => Assert.True(share.From % multiple == 0 || share.From == items));
    }

    /// <summary>What Linux says of this thread, such as 0-1.</summary>
    private static string AllowedProcessors() => File.ReadLines("/proc/thread-self/status")
        .Single(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)).Split(':')[1].Trim();
}
