using InstructTune.Jobs;
using InstructTune.Testing;
using Microsoft.Extensions.Time.Testing;

namespace InstructTune.Unit.Tests.Jobs;

public sealed class JobArchiveTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_deletion_that_died_before_the_store_knew_of_it_leaves_the_job_where_it_was()
    {
        var archive = With("alpha");
        archive.SetAside("alpha");
        Assert.Empty(archive.Ids());

        Assert.Equal(["alpha"], archive.Aside());
        archive.Settle("alpha", isInStore: true);
        Assert.Equal(["alpha"], archive.Ids());
        Assert.Empty(archive.Aside());
    }

    [Fact]
    public void A_deletion_that_died_after_the_store_knew_of_it_is_ended()
    {
        var archive = With("alpha");
        archive.SetAside("alpha");
        archive.Settle("alpha", isInStore: false);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void A_new_job_with_the_id_of_one_whose_deletion_died_keeps_its_own_files()
    {
        var archive = With("alpha");
        archive.SetAside("alpha");
        archive.WriteSpec(New("alpha", "second"));
        archive.Settle("alpha", isInStore: true);
        Assert.Equal("second", archive.Restore("alpha")!.New.Spec);
        Assert.Empty(archive.Aside());
    }

    [Fact]
    public void A_deleted_job_leaves_nothing()
    {
        var archive = With("alpha");
        archive.Delete("alpha");
        archive.Delete("alpha");
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    private JobArchive With(string id)
    {
        var archive = new JobArchive(_folder.Path, new FakeTimeProvider());
        archive.WriteSpec(New(id, "first"));
        return archive;
    }

    private static NewJob New(string id, string spec) => new() { Id = id, Spec = spec };
}
