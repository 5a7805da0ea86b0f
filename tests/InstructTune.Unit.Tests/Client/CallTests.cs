using System.Net;
using System.Net.Sockets;
using InstructTune.Client;
using InstructTune.Hosting;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Client;

public sealed class CallTests
{
    private static readonly DomainException Draining = new(ErrorReason.Draining, "The process is stopping.");

    [Fact]
    public async Task Every_call_carries_the_key_and_a_deadline()
    {
        await using var api = await FakeApi.StartAsync();
        using var client = api.Connect();
        await client.Datasets.GetDatasetAsync(new() { Name = "datasets/x" }, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal("Bearer secret", api.Services.Datasets.Headers[0].GetValue("authorization"));
        Assert.NotEqual(DateTime.MaxValue, api.Services.Datasets.Deadlines[0]);
    }

    [Fact]
    public async Task A_read_is_repeated_while_the_server_is_away()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.Datasets.Failures.Add(Draining, Draining);
        using var client = api.Connect();
        var dataset = await client.Datasets.GetDatasetAsync(new() { Name = "datasets/x" }, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal("datasets/x", dataset.Name);
        Assert.Equal(3, api.Services.Datasets.Headers.Count);
    }

    [Fact]
    public async Task A_repeated_create_keeps_its_request_id()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.FineTunes.CreateFailures.Add(Draining);
        using var client = api.Connect();
        await client.FineTunes.CreateFineTuneJobAsync(new(), cancellationToken: TestContext.Current.CancellationToken);
        var ids = api.Services.FineTunes.Created.Select(request => request.RequestId).ToList();
        Assert.Equal(2, ids.Count);
        Assert.Equal(ids[0], ids[1]);
        Assert.True(Guid.TryParse(ids[0], out _));
    }

    [Fact]
    public async Task A_request_id_of_the_caller_is_kept()
    {
        await using var api = await FakeApi.StartAsync();
        using var client = api.Connect();
        await client.FineTunes.CreateFineTuneJobAsync(new() { RequestId = "mine" }, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal("mine", api.Services.FineTunes.Created[0].RequestId);
    }

    [Fact]
    public async Task A_resume_is_not_repeated()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.FineTunes.ResumeFailures.Add(Draining);
        using var client = api.Connect();
        var handle = client.FineTuneJob("fineTuneJobs/first");
        var failure = await Assert.ThrowsAsync<InstructTuneException>(() => handle.ResumeAsync(TestContext.Current.CancellationToken));
        Assert.Equal("DRAINING", failure.Reason);
        Assert.Equal(1, api.Services.FineTunes.ResumeCount);
    }

    [Fact]
    public async Task A_failure_has_its_reason_and_metadata()
    {
        await using var api = await FakeApi.StartAsync();
        using var client = api.Connect();
        var failure = await Assert.ThrowsAsync<InstructTuneException>(
            () => client.FineTuneJob("fineTuneJobs/absent").GetAsync(TestContext.Current.CancellationToken));
        Assert.Equal("RESOURCE_NOT_FOUND", failure.Reason);
        Assert.Equal("There is no fineTuneJobs/absent.", failure.Message);
        Assert.Equal("fineTuneJobs/absent", failure.Metadata["resource"]);
    }

    [Fact]
    public async Task A_cancelled_call_is_reported_as_cancelled()
    {
        await using var api = await FakeApi.StartAsync();
        using var client = api.Connect();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.FineTuneJob("fineTuneJobs/first").GetAsync(cancelled.Token));
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_named()
    {
        using var client = new InstructTuneClient(new ClientOptions { Address = new Uri("http://127.0.0.1:9") });
        var failure = await Assert.ThrowsAsync<InstructTuneException>(
            () => client.FineTuneJob("fineTuneJobs/first").GetAsync(TestContext.Current.CancellationToken));
        Assert.Equal(LocalReasons.ServerUnreachable, failure.Reason);
        Assert.Contains("http://127.0.0.1:9", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_breaks_is_not_called_a_missing_server()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var closing = CloseEveryConnectionAsync(listener);
        using (var client = new InstructTuneClient(new ClientOptions { Address = new Uri($"http://{listener.LocalEndpoint}") }))
        {
            var failure = await Assert.ThrowsAsync<InstructTuneException>(
                () => client.FineTuneJob("fineTuneJobs/first").ResumeAsync(TestContext.Current.CancellationToken));
            Assert.Equal(LocalReasons.ConnectionLost, failure.Reason);
        }

        listener.Stop();
        await closing;
    }

    private static async Task CloseEveryConnectionAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                (await listener.AcceptTcpClientAsync()).Dispose();
            }
        }
        catch (SocketException)
        {
            // The test has stopped listening.
        }
    }

    [Theory]
    [InlineData("GetFineTuneJob", true)]
    [InlineData("ListFineTuneJobs", true)]
    [InlineData("CreateFineTuneJob", true)]
    [InlineData("CancelFineTuneJob", true)]
    [InlineData("ResumeFineTuneJob", false)]
    [InlineData("WatchFineTuneJob", false)]
    [InlineData("Generate", true)]
    [InlineData("StreamGenerate", false)]
    public void Only_what_is_safe_to_repeat_is_repeated(string method, bool isRepeated)
    {
        var descriptor = new[] { FineTuneServiceReflection.Descriptor, InferenceServiceReflection.Descriptor }
            .Select(file => file.Services[0].FindMethodByName(method)).Single(found => found is not null);
        Assert.Equal(isRepeated, RetryPolicies.IsSafeToRepeat(descriptor));
    }
}
