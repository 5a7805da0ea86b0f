using InstructTune.Client;
using InstructTune.Testing;

namespace InstructTune.Unit.Tests.Client;

public sealed class ServerEndpointTests
{
    [Fact]
    public void The_file_of_the_standalone_process_is_read()
    {
        using var folder = new TemporaryFolder();
        Write(folder["endpoint.json"], """{"address":"http://127.0.0.1:8470","apiKey":"k","pid":42}""");
        Assert.Equal(new ServerEndpoint(new Uri("http://127.0.0.1:8470"), "k", 42), ServerEndpoint.TryRead(folder["endpoint.json"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("""{"address":"http://127.0""")]
    [InlineData("""{"pid":1}""")]
    [InlineData("""{"address":"no address"}""")]
    public void A_file_that_is_not_whole_counts_as_absent(string text)
    {
        using var folder = new TemporaryFolder();
        Write(folder["endpoint.json"], text);
        Assert.Null(ServerEndpoint.TryRead(folder["endpoint.json"]));
    }

    [Fact]
    public void An_absent_file_counts_as_absent() => Assert.Null(ServerEndpoint.TryRead("/nonexistent/endpoint.json"));

    [Theory]
    [InlineData("127.0.0.1:9000", "http://127.0.0.1:9000/")]
    [InlineData("https://tune.example:443", "https://tune.example/")]
    public void An_address_may_leave_its_scheme_out(string given, string expected) =>
        Assert.Equal(expected, ServerEndpoint.Resolve(given, "k").Address.AbsoluteUri);

    [Theory]
    [InlineData("ftp://x")]
    [InlineData("http://")]
    [InlineData("a b")]
    public void What_is_no_address_is_refused(string given)
    {
        var failure = Assert.Throws<InstructTuneException>(() => ServerEndpoint.Resolve(given, "k"));
        Assert.Equal(LocalReasons.ServerUnknown, failure.Reason);
        Assert.Contains(given, failure.Message, StringComparison.Ordinal);
    }

    private static void Write(string path, string text)
    {
        using var writer = new StreamWriter(path);
        writer.Write(text);
    }
}
