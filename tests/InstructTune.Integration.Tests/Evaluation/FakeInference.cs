using System.Collections.Concurrent;
using Grpc.Core;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Evaluation;

/// <summary>An inference service whose answers the test gives. It counts what it was asked and what it answered.</summary>
internal sealed class FakeInference : InferenceService.InferenceServiceBase
{
    private int _inFlight;
    private int _mostInFlight;

    /// <summary>The answer to an instruction, by model and instruction; may throw.</summary>
    public Func<string, string, CancellationToken, Task<string>> Answer { get; set; } = (_, instruction, _) => Task.FromResult(instruction);

    /// <summary>The log-probability of a choice, by instruction and choice.</summary>
    public Func<string, string, double> Logprob { get; set; } = (_, _) => -1;

    public ConcurrentDictionary<string, int> Answered { get; } = new();

    public ConcurrentQueue<GenerateRequest> Requests { get; } = new();

    public int MostInFlight => _mostInFlight;

    public override async Task<GenerateResponse> Generate(GenerateRequest request, ServerCallContext context)
    {
        Requests.Enqueue(request);
        var inFlight = Interlocked.Increment(ref _inFlight);
        try
        {
            for (var most = _mostInFlight; inFlight > most; most = _mostInFlight)
            {
                Interlocked.CompareExchange(ref _mostInFlight, inFlight, most);
            }
            var instruction = request.Instruction?.Instruction_ ?? request.RawPrompt;
            var text = await Answer(request.Model, instruction, context.CancellationToken);
            Answered.AddOrUpdate(instruction, 1, (_, count) => count + 1);
            return new GenerateResponse { Candidates = { new GenerateResponse.Types.Candidate { Text = text, FinishReason = FinishReason.EndOfText } }, ModelVersion = request.Model };
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }

    public override Task<ScoreResponse> Score(ScoreRequest request, ServerCallContext context)
    {
        var response = new ScoreResponse { ModelVersion = request.Model };
        response.Scores.Add(request.Items.Select(item => new ScoreResponse.Types.Score { Logprob = Logprob(item.Instruction.Instruction_, item.Continuation) }));
        return Task.FromResult(response);
    }
}
