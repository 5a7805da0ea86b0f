using InstructTune.Kernels;

namespace InstructTune.Numerics.Tests.Kernels;

public sealed class TeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_member_finishes_a_phase_before_one_begins_the_next(int size)
    {
        using var team = new Team(size);
        var counts = new int[200];
        var early = 0;
        team.Run(_ =>
        {
            for (var phase = 0; phase < counts.Length; phase++)
            {
                Interlocked.Increment(ref counts[phase]);
                team.Sync();
                if (Volatile.Read(ref counts[phase]) != size)
                {
                    Interlocked.Increment(ref early);
                }
            }
        });

        Assert.Equal(0, early);
        Assert.All(counts, count => Assert.Equal(size, count));
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
}
