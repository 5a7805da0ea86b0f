using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Generation;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Trainer.FineTuning;

/// <summary>The model of a job, with what is trained of it. Lives on the training thread.</summary>
internal abstract class TrainedModel(LlamaModel model) : ITrainee, IDisposable
{
    public abstract IReadOnlyList<NamedTensor> Weights { get; }

    public int VocabularySize => Model.Config.VocabularySize;

    /// <summary>Of the whole model, trained or not.</summary>
    public long ParameterCount => Model.ParameterCount;

    /// <summary>Of these, the input embedding's.</summary>
    public long EmbeddingParameterCount => (long)Model.Config.VocabularySize * Model.Config.ModelWidth;

    /// <summary>Strength of the noise on embeddings in training; 0 for none.</summary>
    public double NeftuneAlpha { get; set; }

    protected LlamaModel Model { get; } = model;

    /// <summary>The adapter that is trained; null where weights of the model are.</summary>
    protected virtual LoraAdapter? Adapter => null;

    /// <summary>Times the rate of a step, the rate of this weight.</summary>
    public virtual double RateFactor(string weight) => 1;

    public LlamaConfig Config => Model.Config;

    /// <summary>Whether layers are computed again on the way back. Changes no bit.</summary>
    public bool RecomputesLayers { get; set; }

    public abstract Tensor Hidden(Tensor ids_BT, StepSeed seed, TokenPlacement? placement);

    public abstract double Backward(PaddedBatch batch, StepSeed seed, long stepTrainedTokens, Action<StepPhase>? entered);

    /// <summary>As <see cref="Hidden"/>, with nothing dropped.</summary>
    public abstract Tensor HiddenForValidation(Tensor ids_BT);

    public virtual Tensor Logits(Tensor hidden_RD) => Model.Logits(hidden_RD);

    /// <summary>The most likely answers to prompts, with the weights as they are.</summary>
    public IReadOnlyList<int[]> Answers(IReadOnlyList<int[]> prompts, IReadOnlyList<int> endIds, int maxTokens, Action stepped) =>
        GreedyAnswers.Run(Model, Adapter, prompts, endIds, maxTokens, stepped);

    /// <summary>Writes what is trained, for a checkpoint.</summary>
    public abstract void SaveWeights(string folder);

    /// <summary>Takes over what <see cref="SaveWeights"/> wrote.</summary>
    public abstract void LoadWeights(string folder);

    /// <summary>Writes the folder that is published: whole models for other programs to load, or an adapter.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="baseFolder">Of the weights that the job began with, for what the model has beside weights.</param>
    /// <param name="frozenAdapters">Folders of adapters below what was trained; the result holds them too.</param>
    public abstract void WriteResult(string folder, string baseFolder, IReadOnlyList<string> frozenAdapters);

    /// <summary>Writes the whole model with what was trained in it. It cannot be trained on after that.</summary>
    public abstract void WriteMerged(string folder, string baseFolder);

    public virtual void Dispose() => Model.Dispose();

    protected EmbeddingNoise? NoiseOf(StepSeed seed) => NeftuneAlpha > 0 ? new EmbeddingNoise(NeftuneAlpha, seed.Derive("neftune")) : null;
}
