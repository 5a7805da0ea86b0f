using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Trainer.FineTuning;

/// <summary>One low-rank adapter is trained on frozen weights; every stage trains it on.</summary>
internal sealed class AdapterModel : TrainedModel
{
    private readonly double _bRateRatio;
    private LoraAdapter _adapter;

    public AdapterModel(LlamaModel model, FineTuneSpec spec, LoraSpec lora)
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
            BaseModelName = spec.BaseModel,
        };
        _adapter = LoraAdapter.Create(model, config, StepSeed.Of(spec.Seed, "", 0, "adapter"));
        _adapter.SetTrainable(true);
    }

    public override IReadOnlyList<NamedTensor> Weights => _adapter.Parameters;

    public override Tensor Hidden(Tensor ids_BT, StepSeed seed) => Model.Hidden(ids_BT, _adapter, seed);

    public override Tensor Logits(Tensor hidden_RD) => Model.Logits(hidden_RD, _adapter);

    // LoRA+ (arXiv 2402.12354): B starts at zero and learns best at a higher rate than A.
    public override double RateFactor(string weight) => weight.Contains(".lora_B.", StringComparison.Ordinal) ? _bRateRatio : 1;

    public override void SaveWeights(string folder) => PeftAdapter.Write(folder, _adapter);

    public override void LoadWeights(string folder)
    {
        var saved = PeftAdapter.Read(folder, Model.Config);
        _adapter.Dispose();
        _adapter = saved;
        _adapter.SetTrainable(true);
    }

    public override void WriteResult(string folder, string baseFolder) => SaveWeights(folder);

    public override void Dispose()
    {
        _adapter.Dispose();
        base.Dispose();
    }
}
