using InstructTune.Modeling.Weights;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>The tiny model without cache, batch, engine: every token is a pass over the whole text.</summary>
internal sealed class SlowTwin : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Modeling.Llama.LlamaModel _model;

    public SlowTwin(ulong seed)
    {
        TinyModel.Write(_folder.Path, seed);
        _model = ModelFolder.Load(_folder.Path);
    }

    public int[] Generate(int[] prompt, int count)
    {
        List<int> ids = [.. prompt];
        for (var i = 0; i < count; i++)
        {
            using var scope = NewDisposeScope();
            ids.Add((int)LastLogits([.. ids.Select(id => (long)id)]).narrow(0, 0, TinyTokenizer.Count).argmax().item<long>());
        }
        return [.. ids.Skip(prompt.Length)];
    }

    public double[] Logprobs(int[] context, int[] continuation)
    {
        using var scope = NewDisposeScope();
        return
        [
            .. continuation.Index().Select(entry =>
                (double)LastLogits([.. context.Concat(continuation[..entry.Index]).Select(id => (long)id)]).log_softmax(0)[entry.Item].item<float>()),
        ];
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    private Tensor LastLogits(long[] ids)
    {
        using var frozen = no_grad();
        var hidden_BTD = _model.Hidden(tensor(ids).unsqueeze(0));
        return _model.Logits(hidden_BTD[0].narrow(0, ids.Length - 1, 1))[0];
    }
}
