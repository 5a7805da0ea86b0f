using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Trainer.Publishing;

/// <summary>Fixed prompts, and what a model says to each of their tokens. Two forms of one model are compared by it.</summary>
internal sealed class ParityProbe
{
    private const int MaxPromptTokens = 48;

    private static readonly string[] Texts =
    [
        "Below is an instruction that describes a task. Write a response that appropriately completes the request.",
        "The capital of France is Paris, and 7 + 5 = 12.",
        "def add(a, b):\n    return a + b\n",
        "Grüße aus Zürich: naïve café, 東京, привет!",
    ];

    private readonly int[][] _prompts;

    private ParityProbe(int[][] prompts) => _prompts = prompts;

    /// <summary>The prompts in the tokens of a model's folder.</summary>
    public static ParityProbe For(string folder)
    {
        var tokenizer = Tokenizer.Load(folder);
        var limit = Math.Min(MaxPromptTokens, ModelFolder.ReadConfig(folder).ContextTokens);
        return new ParityProbe([.. Texts.Select(text => tokenizer.Encode(text)).Where(ids => ids.Length > 0).Select(ids => ids[..Math.Min(limit, ids.Length)])]);
    }

    /// <summary>Whether another folder's tokenizer gives the same tokens.</summary>
    public bool HasTokensOf(ParityProbe other) =>
        _prompts.Length == other._prompts.Length && _prompts.Zip(other._prompts).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));

    /// <summary>The logits behind every token, a row of the vocabulary each.</summary>
    public IReadOnlyList<float[]> Logits(LlamaModel model, LoraAdapter? adapter = null)
    {
        var rows = new List<float[]>();
        foreach (var prompt in _prompts)
        {
            using var scope = NewDisposeScope();
            using var frozen = no_grad();
            var hidden_BTD = model.Hidden(tensor(prompt, dtype: ScalarType.Int64).unsqueeze(0), adapter);
            var logits_RV = model.Logits(hidden_BTD.reshape(prompt.Length, model.Config.ModelWidth), adapter).to(ScalarType.Float32).contiguous();
            var values = logits_RV.data<float>().ToArray();
            rows.AddRange(values.Chunk(values.Length / prompt.Length));
        }

        return rows;
    }
}
