using System.Collections.Concurrent;
using System.Net;
using Google.Protobuf;
using InstructTune.Testing;

namespace InstructTune.EndToEnd.Tests;

/// <summary>One span as a collector gets it.</summary>
internal sealed record CollectedSpan(string TraceId, string SpanId, string ParentSpanId, string Name);

/// <summary>An OpenTelemetry collector that keeps the names and the ids of spans. Speaks OTLP over HTTP with protobuf.</summary>
internal sealed class SpanCollector : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentQueue<CollectedSpan> _spans = [];

    public SpanCollector()
    {
        Address = $"http://127.0.0.1:{FreePort.Next()}";
        _listener.Prefixes.Add(Address + "/");
        _listener.Start();
        _ = ListenAsync();
    }

    public string Address { get; }

    public IReadOnlyCollection<CollectedSpan> Spans => _spans;

    /// <summary>What a process has set that sends its spans here, soon.</summary>
    public string[] Environment => ["OTEL_EXPORTER_OTLP_ENDPOINT=" + Address, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "OTEL_BSP_SCHEDULE_DELAY=100"];

    public void Dispose() => _listener.Close();

    private async Task ListenAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                if (context.Request.Url!.AbsolutePath == "/v1/traces")
                {
                    ReadRequest(body.ToArray());
                }

                context.Response.ContentType = "application/x-protobuf";
                context.Response.Close();
            }
        }
        catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    // ExportTraceServiceRequest { ResourceSpans = 1 { ScopeSpans = 2 { Span = 2 } } }
    private void ReadRequest(byte[] request)
    {
        foreach (var span in Fields(request, 1).SelectMany(resource => Fields(resource, 2)).SelectMany(scope => Fields(scope, 2)))
        {
            _spans.Enqueue(new CollectedSpan(
                Convert.ToHexStringLower(Fields(span, 1).Single()),
                Convert.ToHexStringLower(Fields(span, 2).Single()),
                Convert.ToHexStringLower(Fields(span, 4).SingleOrDefault([])),
                System.Text.Encoding.UTF8.GetString(Fields(span, 5).Single())));
        }
    }

    private static List<byte[]> Fields(byte[] message, int number)
    {
        var found = new List<byte[]>();
        using var input = new CodedInputStream(message);
        while (input.ReadTag() is var tag && tag != 0)
        {
            if (WireFormat.GetTagFieldNumber(tag) == number && WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited)
            {
                found.Add(input.ReadBytes().ToByteArray());
            }
            else
            {
                input.SkipLastField();
            }
        }

        return found;
    }
}
