using InstructTune.Inference.Models;
using InstructTune.Inference.Requests;
using Microsoft.Extensions.Time.Testing;

namespace InstructTune.Unit.Tests.Inference;

public sealed class ModelResidencyTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ModelResidency _residency;

    public ModelResidencyTests() => _residency = new ModelResidency(ceilingBytes: 100, WeightForm.Torch, _time);

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

    [Fact]
    public void A_content_is_served_in_the_form_that_was_chosen_last_until_it_is_taken_out()
    {
        var configured = Resident("content", 10);
        var packed = Resident("content", 5, form: WeightForm.Int8);
        Assert.Equal((WeightForm.Torch, configured), (_residency.FormOf("content"), Enter("content")));

        _residency.Choose("content", WeightForm.Int8);
        Assert.Equal((WeightForm.Int8, packed), (_residency.FormOf("content"), Enter("content")));

        _residency.TryRemove("content");
        Assert.Equal(WeightForm.Torch, _residency.FormOf("content"));
    }

    [Fact]
    public void A_chosen_form_outlives_eviction()
    {
        Resident("content", 60, form: WeightForm.Int8);
        _residency.Choose("content", WeightForm.Int8);

        Assert.Single(_residency.Reserve(Enter("other"), 90));

        Assert.Equal(WeightForm.Int8, Enter("content").Form);
    }

    [Fact]
    public void The_form_that_is_served_no_more_leaves_with_its_adapters_unless_somebody_uses_it()
    {
        var old = Resident("content", 10);
        var adapter = Resident("adapter", 1, old);
        Resident("content", 5, form: WeightForm.Int8);
        Assert.Equal([adapter, old], _residency.Choose("content", WeightForm.Int8));

        Enter("content");
        Resident("content", 10, form: WeightForm.Int4);
        Assert.Empty(_residency.Choose("content", WeightForm.Int4));
        Assert.Equal([WeightForm.Int4, WeightForm.Int8], _residency.List().Select(entry => entry.Form).OrderBy(form => form.Name));
    }

    [Fact]
    public void A_pin_passes_to_the_form_that_is_served()
    {
        var old = Resident("content", 10);
        Resident("adapter", 1, old);
        _residency.Pin("content", isPinned: true);
        _residency.Pin("adapter", isPinned: true);
        Enter("content");
        Resident("content", 5, form: WeightForm.Int8);
        Assert.Equal(["adapter"], _residency.PinnedOverOthers("content", WeightForm.Int8));

        _residency.Choose("content", WeightForm.Int8);

        Assert.Equal(
            [("adapter", WeightForm.Torch, false), ("content", WeightForm.Int8, true), ("content", WeightForm.Torch, false)],
            _residency.List().Select(entry => (entry.Name, entry.Form, entry.IsPinned)).OrderBy(entry => (entry.Name, entry.Form.Name)));
    }

    [Fact]
    public void What_nobody_used_for_long_leaves_and_what_is_pinned_or_used_or_was_used_lately_stays()
    {
        var minute = TimeSpan.FromMinutes(1);
        var idle = Resident("idle", 10);
        var idleAdapter = Resident("idle adapter", 1, idle);
        var busy = Resident("busy", 10);
        var rare = Resident("rare adapter of a busy base", 1, busy);
        Resident("pinned", 10);
        _residency.Pin("pinned", isPinned: true);
        Resident("running", 10);
        var running = Enter("running");
        _time.Advance(minute / 2);
        Use("busy");
        Assert.Empty(_residency.TakeIdle(minute));

        _time.Advance(minute / 2);
        Assert.Equal([idleAdapter, rare, idle], _residency.TakeIdle(minute));

        _residency.Leave(running);
        _time.Advance(minute);
        Assert.Equal(["busy", "running"], _residency.TakeIdle(minute).Select(resident => resident.Sha256));
        Assert.Equal(["pinned"], _residency.List().Select(entry => entry.Name));
    }

    private ResidentModel Enter(string sha256) => _residency.Enter(sha256, sha256, parent: null).Model;

    /// <summary>In memory, used by nobody.</summary>
    private ResidentModel Resident(string sha256, long sizeBytes, ResidentModel? parent = null, WeightForm? form = null)
    {
        var (resident, _) = _residency.Enter(sha256, sha256, parent, form);
        Assert.Empty(_residency.Reserve(resident, sizeBytes));
        resident.Loaded.SetResult(new ModelContent(null!, null!, 0, 0));
        _residency.Leave(resident);
        _residency.Leave(resident);
        return resident;
    }

    private void Use(string sha256) => _residency.Leave(Enter(sha256));
}
