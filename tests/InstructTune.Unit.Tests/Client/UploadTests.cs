using System.Text;
using InstructTune.Client;
using InstructTune.Hosting;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Client;

public sealed class UploadTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Files_arrive_whole_and_in_order()
    {
        await using var api = await FakeApi.StartAsync();
        using var client = api.Connect();
        // Two and a half chunks, and an empty file.
        var large = Write("b.jsonl", new string('x', 1_300_000));
        var empty = Write("a.jsonl", "");
        var progress = new Recorded();
        await client.UploadDatasetAsync("datasets/d", [large, empty], null, progress, TestContext.Current.CancellationToken);
        Assert.Equal(["b.jsonl", "a.jsonl"], api.Services.Datasets.Files.Select(file => file.Name));
        Assert.Equal(1_300_000, api.Services.Datasets.Files[0].Content.Length);
        Assert.Empty(api.Services.Datasets.Files[1].Content);
        Assert.Equal(1_300_000, progress.Reports[^1].SentBytes);
        Assert.Equal(progress.Reports.Select(report => report.SentBytes).Order(), progress.Reports.Select(report => report.SentBytes));
    }

    [Fact]
    public async Task A_folder_stands_for_its_data_files_in_order_of_their_names()
    {
        await using var api = await FakeApi.StartAsync();
        using var client = api.Connect();
        Write("2.json", "[]");
        Write("1.json", "[]");
        Write("notes.md", "no data");
        await client.UploadDatasetAsync("datasets/d", [_folder.Path], ct: TestContext.Current.CancellationToken);
        Assert.Equal(["1.json", "2.json"], api.Services.Datasets.Files.Select(file => file.Name));
    }

    [Fact]
    public async Task Pickled_weights_stay_here()
    {
        await using var api = await FakeApi.StartAsync();
        using var client = api.Connect();
        Write("config.json", "{}");
        Write("model.safetensors", "weights");
        Write("pytorch_model.bin", "pickle");
        await client.UploadModelVersionAsync(new() { Parent = "models/m" }, _folder.Path, ct: TestContext.Current.CancellationToken);
        Assert.Equal(["config.json", "model.safetensors"], api.Services.Models.Files);
    }

    [Fact]
    public async Task What_the_server_objects_to_is_what_the_caller_hears()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.Datasets.Failures.Add(new DomainException(
            ErrorReason.DataInvalid, "b.jsonl, record 3: not JSON.", ("file", "b.jsonl"), ("position", "3"), ("problem", "not JSON")));
        using var client = api.Connect();
        var file = Write("b.jsonl", new string('x', 5_000_000));
        var failure = await Assert.ThrowsAsync<InstructTuneException>(
            () => client.UploadDatasetAsync("datasets/d", [file], ct: TestContext.Current.CancellationToken));
        Assert.Equal("DATA_INVALID", failure.Reason);
        Assert.Equal("3", failure.Metadata["position"]);
    }

    [Fact]
    public async Task Nothing_is_sent_when_a_file_is_missing()
    {
        await using var api = await FakeApi.StartAsync();
        using var client = api.Connect();
        var missing = _folder["absent.jsonl"];
        var failure = await Assert.ThrowsAsync<InstructTuneException>(
            () => client.UploadDatasetAsync("datasets/d", [Write("a.jsonl", "{}"), missing], ct: TestContext.Current.CancellationToken));
        Assert.Equal($"There is no file or folder {missing}.", failure.Message);
        Assert.Empty(api.Services.Datasets.Files);
    }

    [Fact]
    public void Two_files_of_one_name_are_refused()
    {
        Directory.CreateDirectory(_folder["sub"]);
        var failure = Assert.Throws<InstructTuneException>(() => FileSet.Of([Write("a.json", "1"), Write("sub/a.json", "2")], ".json"));
        Assert.Contains("a.json", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_data_is_refused()
    {
        var failure = Assert.Throws<InstructTuneException>(() => FileSet.Of([_folder.Path], ".json", ".txt"));
        Assert.Contains("holds no .json or .txt file", failure.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private string Write(string name, string text)
    {
        using var writer = new StreamWriter(_folder[name], false, new UTF8Encoding(false));
        writer.Write(text);
        return _folder[name];
    }

    private sealed class Recorded : IProgress<UploadProgress>
    {
        public List<UploadProgress> Reports { get; } = [];

        public void Report(UploadProgress value) => Reports.Add(value);
    }
}
