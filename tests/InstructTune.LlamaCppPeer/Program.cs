using System.Text.Json;
using InstructTune.Benchmarks.Serving;
using InstructTune.LlamaCppPeer;
using LLama.Native;

// llama.cpp in a process of its own, for eng/run bench-serving: one request and one answer a line.
NativeLibraryConfig.LLama.WithLogCallback(static (_, _) => { });
using var peer = new PeerModel();
while (Console.In.ReadLine() is { } line)
{
    var request = JsonSerializer.Deserialize<PeerRequest>(line)!;
    var answer = request.Action switch
    {
        "load" => peer.Load(request),
        "contexts" => peer.OpenContexts(request),
        "run" => peer.Run(request),
        "facts" => PeerFacts.Read(),
        _ => throw new InvalidOperationException($"There is no action {request.Action}."),
    };
    Console.Out.WriteLine(JsonSerializer.Serialize(answer));
}
