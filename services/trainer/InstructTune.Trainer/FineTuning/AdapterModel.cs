using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Trainer.FineTuning;

/// <summary>
/// One low-rank adapter is trained on frozen weights. With PiSSA these are what the adapter's start leaves of the base; checkpoints hold the adapter as it is,
/// and what is published is an ordinary one over the base.
/// </summary>
internal sealed class AdapterModel : TrainedModel
{
    private readonly double _bRateRatio;
    private readonly LoraAdapter _adapter;
    private readonly LoraAdapter? _principal;

    /// <param name="model">The frozen weights; this object's to dispose.</param>
    /// <param name="spec">The job.</param>
    /// <param name="lora">The adapter.</param>
    /// <param name="stageIndex">The stage that begins with a new adapter.</param>
    /// <param name="baseName">What the frozen weights are called.</param>
    public AdapterModel(LlamaModel model, FineTuneSpec spec, LoraSpec lora, int stageIndex, string baseName)
        : base(model)
    {
        _bRateRatio = lora.BRateRatio;
        var config = new LoraConfig
        {
            Rank = lora.Rank,
            Alpha = lora.Alpha,
            Dropout = lora.Dropout,
            TargetModules = lora.TargetModules,
            UseRsLora = lora.RankStabilized,
            UseDora = lora.WeightDecomposed,
            Start = lora.Start switch
            {
                LoraStartKind.Gaussian => LoraStart.Gaussian,
                LoraStartKind.Pissa => LoraStart.Pissa,
                _ => LoraStart.Uniform,
            },
            BaseModelName = baseName,
        };
        var scope = stageIndex == 0 ? "" : spec.Stages[stageIndex].StageId;
        _adapter = LoraAdapter.Create(model, config, StepSeed.Of(spec.Seed, scope, 0, "adapter"));
        if (lora.Start == LoraStartKind.Pissa)
        {
            _principal = _adapter.Copy();
            PissaConversion.MakeResidual(model, _adapter);
        }

        _adapter.SetTrainable(true);
    }

    public override IReadOnlyList<NamedTensor> Weights => _adapter.Parameters;

    protected override LoraAdapter Adapter => _adapter;

    public override Tensor Hidden(Tensor ids_BT, StepSeed seed, TokenPlacement? placement) => Model.Hidden(ids_BT, _adapter, seed, placement, NoiseOf(seed));

    public override double Backward(PaddedBatch batch, StepSeed seed, long stepTrainedTokens, Action<StepPhase>? entered) =>
        Model.Backward(batch, stepTrainedTokens, new BackwardSettings { Adapter = _adapter, Dropout = seed, Noise = NoiseOf(seed), RecomputesLayers = RecomputesLayers, Entered = entered });

    public override Tensor HiddenForValidation(Tensor ids_BT) => Model.Hidden(ids_BT, _adapter);

    public override Tensor Logits(Tensor hidden_RD) => Model.Logits(hidden_RD, _adapter);

    // LoRA+ (arXiv 2402.12354): B starts at zero and learns best at a higher rate than A.
    public override double RateFactor(string weight) => weight.Contains(".lora_B.", StringComparison.Ordinal) ? _bRateRatio : 1;

    public override void SaveWeights(string folder) => PeftAdapter.Write(folder, _adapter);

    public override void LoadWeights(string folder)
    {
        using var saved = PeftAdapter.Read(folder, Model.Config);
        using var frozen = no_grad();
        var values = saved.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value, StringComparer.Ordinal);
        foreach (var parameter in _adapter.Parameters)
        {
            if (!values.TryGetValue(parameter.Name, out var value) || !value.shape.AsSpan().SequenceEqual(parameter.Value.shape))
            {
                throw new ModelFormatException(
                    "adapter_model.safetensors", parameter.Name, $"is missing or has another shape than [{string.Join(", ", parameter.Value.shape)}]");
            }

            parameter.Value.copy_(value);
        }
    }

    public override void WriteResult(string folder, string baseFolder, IReadOnlyList<string> frozenAdapters)
    {
        using var ordinary = _principal is null ? null : PissaConversion.ToOrdinary(Model.Config, _adapter, _principal);
        if (frozenAdapters.Count == 0)
        {
            PeftAdapter.Write(folder, ordinary ?? _adapter);
            return;
        }

        var below = frozenAdapters.Select(path => PeftAdapter.Read(path, Model.Config)).ToArray();
        using var whole = LoraConcatenation.Of(Model.Config, [.. below, ordinary ?? _adapter.AsOrdinary()], _adapter.Config.BaseModelName);
        PeftAdapter.Write(folder, whole);
        foreach (var adapter in below)
        {
            adapter.Dispose();
        }
    }

    public override void WriteMerged(string folder, string baseFolder)
    {
        using var wide = Model.Format == BaseFormat.Fp32 ? null : Model.InFormat(BaseFormat.Fp32);
        LoraMerge.Into(wide ?? Model, _adapter.AsOrdinary());
        HuggingFaceFolder.Write(folder, wide ?? Model, baseFolder);
    }

    public override void Dispose()
    {
        _adapter.Dispose();
        _principal?.Dispose();
        base.Dispose();
    }
}
