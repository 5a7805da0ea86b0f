using Grpc.Core;
using InstructTune.Testing;
using InstructTune.Trainer.Peers;
using InstructTune.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>Reading examples from a dataset service that breaks off.</summary>
public sealed class ExampleSourceTests
{
    [Fact]
    public async Task A_broken_stream_goes_on_after_the_last_example_received()
    {
        var service = new BreakingDatasets { ExamplesPerCall = 4 };
        await using var server = await StartAsync(service);

        var read = await ReadAsync(server);

        Assert.Equal(Enumerable.Range(0, BreakingDatasets.Count), read);
        Assert.Equal([0, 4, 8], service.Starts);
    }

    [Fact]
    public async Task A_service_that_never_sends_anything_is_given_up()
    {
        await using var server = await StartAsync(new BreakingDatasets { ExamplesPerCall = 0 });
        var failure = await Assert.ThrowsAsync<RpcException>(() => ReadAsync(server));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    private static Task<TestServer> StartAsync(BreakingDatasets service) => TestServer.StartAsync(
        b => b.Services.AddSingleton(service), a => a.MapGrpcService<BreakingDatasets>());

    private static async Task<List<int>> ReadAsync(TestServer server)
    {
        var source = new ExampleSource(new DatasetService.DatasetServiceClient(server.Channel), TimeProvider.System);
        var read = new List<int>();
        await foreach (var (index, _) in source.ReadAsync("datasets/d/versions/1", TestContext.Current.CancellationToken))
        {
            read.Add(index);
        }

        return read;
    }

    private sealed class BreakingDatasets : DatasetService.DatasetServiceBase
    {
        public const int Count = 10;

        public int ExamplesPerCall { get; init; }

        public List<long> Starts { get; } = [];

        public override async Task StreamExamples(
            StreamExamplesRequest request, IServerStreamWriter<StreamExamplesResponse> responseStream, ServerCallContext context)
        {
            Starts.Add(request.StartIndex);
            for (var i = request.StartIndex; i < Count; i++)
            {
                if (i == request.StartIndex + ExamplesPerCall)
                {
                    throw new InstructTune.Hosting.DomainException(ErrorReason.Draining, "The process is stopping.");
                }

                await responseStream.WriteAsync(new StreamExamplesResponse { Index = i, Example = new Example { Text = "some text" } });
            }
        }
    }
}
