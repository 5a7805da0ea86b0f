using CsCheck;
using InstructTune.Storage;
using InstructTune.Testing;
using Microsoft.Extensions.Time.Testing;

namespace InstructTune.Unit.Tests.Storage;

public sealed class DocumentStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly DocumentStore _store;

    public DocumentStoreTests() => _store = new DocumentStore(new StorageOptions { Root = _folder.Path }, _clock);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Created_document_is_found_and_its_id_is_taken()
    {
        Assert.True(_store.TryCreate("models", "a", new Model("one", 1)));
        Assert.False(_store.TryCreate("models", "a", new Model("two", 2)));
        var found = _store.Find<Model>("models", "a");
        Assert.Equal(new Model("one", 1), found?.Content);
        Assert.Equal(_clock.GetUtcNow(), found?.CreateTime);
        Assert.Null(_store.Find<Model>("models", "b"));
    }

    [Fact]
    public void Replaced_document_keeps_its_create_time()
    {
        _store.Put("models", "a", new Model("one", 1));
        var created = _clock.GetUtcNow();
        _clock.Advance(TimeSpan.FromHours(1));
        _store.Put("models", "a", new Model("two", 2));
        Assert.Equal(new Document<Model>("a", created, new Model("two", 2)), _store.Find<Model>("models", "a"));
    }

    [Fact]
    public void Collections_nest_and_are_told_apart()
    {
        _store.Put("models", "a", new Model("parent", 1));
        _store.Put("models/a/versions", "1", new Model("child", 2));
        Assert.Equal(["a"], _store.List<Model>("models", 0, "").Items.Select(item => item.Id));
        Assert.Equal(["1"], _store.List<Model>("models/a/versions", 0, "").Items.Select(item => item.Id));
        Assert.Empty(_store.List<Model>("models/b/versions", 0, "").Items);
    }

    [Fact]
    public void Deleted_document_is_gone()
    {
        _store.Put("models", "a", new Model("one", 1));
        Assert.True(_store.Delete("models", "a"));
        Assert.False(_store.Delete("models", "a"));
        Assert.Null(_store.Find<Model>("models", "a"));
    }

    [Fact]
    public void Pages_are_newest_first_and_stable_while_documents_are_created()
    {
        for (var number = 0; number < 25; number++)
        {
            _store.Put("m", $"d{number}", new Model("x", number));
            _clock.Advance(TimeSpan.FromSeconds(number % 3));
        }

        var seen = new List<string>();
        var token = "";
        do
        {
            var page = _store.List<Model>("m", 10, token);
            seen.AddRange(page.Items.Select(item => item.Id));
            token = page.NextPageToken;
            _store.Put("m", $"late{seen.Count}", new Model("x", 0));
        }
        while (token.Length > 0);

        Assert.Equal(Enumerable.Range(0, 25).Reverse().Select(number => $"d{number}"), seen);
    }

    [Fact]
    public void Token_of_another_collection_is_refused()
    {
        for (var number = 0; number < 3; number++)
        {
            _store.Put("m", $"d{number}", new Model("x", number));
        }

        var token = _store.List<Model>("m", 1, "").NextPageToken;
        Assert.Throws<PageTokenMismatchException>(() => _store.List<Model>("n", 1, token));
        Assert.Throws<PageTokenMismatchException>(() => _store.List<Model>("m", 1, "garbage"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData(".hidden")]
    [InlineData("a b")]
    public void Id_that_is_no_name_is_refused(string id) => Assert.Throws<ArgumentException>(() => _store.Put("m", id, new Model("x", 1)));

    [Fact]
    public void Any_text_round_trips() => Gen.String.Sample(
        text =>
        {
            var wellFormed = new string([.. text.Where(character => !char.IsSurrogate(character))]);
            _store.Put("m", "d", new Model(wellFormed, 1));
            Assert.Equal(wellFormed, _store.Find<Model>("m", "d")?.Content.Name);
        },
        iter: 200,
        threads: 1);

    private sealed record Model(string Name, int Count);
}
