using InstructTune.Inference.Models;
using InstructTune.Inference.Requests;

namespace InstructTune.Unit.Tests.Inference;

public sealed class ModelResidencyTests
{
    private readonly ModelResidency _residency = new(ceilingBytes: 100);

    [Fact]
    public void The_least_recently_used_leaves_first()
    {
        var first = Resident("first", 40);
        var second = Resident("second", 40);
        Use("first");

        var leaving = _residency.Reserve(Enter("third"), 30);

        Assert.Equal([second], leaving);
        Assert.Contains(first, new[] { Enter("first") });
    }

    [Fact]
    public void A_base_leaves_with_its_adapters_and_after_them()
    {
        var parent = Resident("base", 40);
        var adapter = Resident("adapter", 10, parent);
        Use("base");

        var leaving = _residency.Reserve(Enter("other"), 95);

        Assert.Equal([adapter, parent], leaving);
    }

    [Fact]
    public void A_base_whose_adapter_is_used_stays()
    {
        var parent = Resident("base", 40);
        Resident("adapter", 10, parent);
        _residency.Enter("adapter", "adapter", parent);

        var fault = Assert.Throws<InferenceFault>(() => _residency.Reserve(Enter("other"), 95));

        Assert.Equal(FaultKind.QueueFull, fault.Kind);
    }

    [Fact]
    public void Who_leaves_in_vain_stays()
    {
        var idle = Resident("idle", 20);
        Resident("used", 60);
        Enter("used");

        Assert.Equal(FaultKind.QueueFull, Assert.Throws<InferenceFault>(() => _residency.Reserve(Enter("other"), 50)).Kind);

        Assert.Equal(idle, Enter("idle"));
    }

    [Fact]
    public void What_can_never_fit_is_refused_and_evicts_nobody()
    {
        var small = Resident("small", 40);

        Assert.Equal(FaultKind.ModelDoesNotFit, Assert.Throws<InferenceFault>(() => _residency.Reserve(Enter("huge"), 101)).Kind);

        Assert.Equal(small, Enter("small"));
    }

    [Fact]
    public void Content_that_was_evicted_comes_back_under_another_key()
    {
        var before = Resident("content", 60);
        _residency.Reserve(Enter("other"), 60);

        Assert.NotEqual(before.Key, Enter("content").Key);
    }

    [Fact]
    public void Two_names_of_one_content_are_one_resident_and_two_entries()
    {
        var resident = Resident("content", 10);

        var (again, isNew) = _residency.Enter("content", "another name", parent: null);

        Assert.False(isNew);
        Assert.Equal(resident, again);
        Assert.Equal(["another name", "content"], _residency.List().Select(entry => entry.Name));
    }

    private ResidentModel Enter(string sha256) => _residency.Enter(sha256, sha256, parent: null).Model;

    /// <summary>In memory, used by nobody.</summary>
    private ResidentModel Resident(string sha256, long sizeBytes, ResidentModel? parent = null)
    {
        var (resident, _) = _residency.Enter(sha256, sha256, parent);
        Assert.Empty(_residency.Reserve(resident, sizeBytes));
        resident.Loaded.SetResult(new ModelContent(null!, null!, 0, 0));
        _residency.Leave(resident);
        _residency.Leave(resident);
        return resident;
    }

    private void Use(string sha256) => _residency.Leave(Enter(sha256));
}
