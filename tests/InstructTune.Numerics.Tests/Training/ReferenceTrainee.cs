using System.Text.Json;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Training;

/// <summary>A model of the reference outputs, trained whole or through an adapter that starts where the reference did.</summary>
internal sealed class ReferenceTrainee : ITrainee, IDisposable
{
    private readonly LlamaModel _model;
    private readonly LoraAdapter? _adapter;

    public ReferenceTrainee(string modelFolder, LoraConfig? lora = null, string? initialAdapter = null)
    {
        _model = ModelFolder.Load(modelFolder);
        if (lora is null)
        {
            _model.SetTrainable(true);
            return;
        }

        _adapter = LoraAdapter.Create(_model, lora, new StepSeed(1));
        if (initialAdapter is not null)
        {
            Load(initialAdapter);
        }

        _adapter.SetTrainable(true);
    }

    public IReadOnlyList<NamedTensor> Weights => _adapter?.Parameters ?? _model.Parameters;

    public int VocabularySize => _model.Config.VocabularySize;

    public Tensor Hidden(Tensor ids_BT, StepSeed seed, TokenPlacement? placement) => _model.Hidden(ids_BT, _adapter, seed, placement);

    public Tensor Logits(Tensor hidden_RD) => _model.Logits(hidden_RD, _adapter);

    public double Backward(PaddedBatch batch, StepSeed seed, long stepTrainedTokens, Action<StepPhase>? entered) =>
        _model.Backward(batch, stepTrainedTokens, new BackwardSettings { Adapter = _adapter, Dropout = seed, Entered = entered });

    public void Load(string file)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var reader = SafetensorsReader.Open(file);
        foreach (var weight in Weights)
        {
            weight.Value.copy_(reader.ReadFloat32(weight.Name));
        }
    }

    public static LoraConfig LoraOf(JsonElement run) => new()
    {
        Rank = run.GetProperty("r").GetInt32(),
        Alpha = run.GetProperty("lora_alpha").GetDouble(),
        TargetModules = LoraConfig.AllLinear,
        UseDora = run.GetProperty("method").GetString() == "dora",
    };

    public void Dispose()
    {
        _adapter?.Dispose();
        _model.Dispose();
    }
}
