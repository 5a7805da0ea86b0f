using InstructTune.Inference.Engine;
using InstructTune.Inference.Requests;
using InstructTune.Kernels;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Serving;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;

namespace InstructTune.Inference.Models;

/// <summary>Reads full weights and allocates their cache, then gives both away.</summary>
internal sealed class BaseLoad : IModelLoad
{
    private readonly BaseFiles _files;
    private readonly SlotPool _slots;
    private readonly KernelLoad _kernels;
    private readonly Team _team;
    private readonly int _stepTokens;
    private readonly Func<LoadedBase, SlotPool, Task> _handOver;

    public BaseLoad(BaseFiles files, InferenceOptions options, KernelLoad kernels, Team team, Func<LoadedBase, SlotPool, Task> handOver)
    {
        (_files, _kernels, _team, _stepTokens, _handOver) = (files, kernels, team, options.StepTokens, handOver);
        _slots = new SlotPool(options.CacheBytes, KvCache.SizeBytes(files.Config, 1, 1, files.Form.CacheBytes), files.Config.ContextTokens, options.MaxRunning);
        if (_slots.BlockCount == 0)
        {
            throw new InferenceFault(
                FaultKind.ModelDoesNotFit,
                $"Not even {SlotPool.BlockTokens} tokens of this model fit into the {options.CacheBytes} bytes of Inference:CacheBytes.",
                ("limit_bytes", $"{options.CacheBytes}"));
        }
        var stepBytes = files.Form.UsesLibtorch ? TorchStepMemory.SizeBytes(files.Config, options.Limits, _slots.LargestTokens) : KernelBase.StepBytes(files.Config, _stepTokens, team);
        SizeBytes = files.WeightBytes() + _slots.SizeBytes + stepBytes;
    }

    public long SizeBytes { get; }

    public async Task<ModelContent> RunAsync()
    {
        var tokenizer = Tokenizer.Load(_files.Folder.Path);
        var vocabularySize = Math.Min(tokenizer.VocabularySize, _files.Config.VocabularySize);
        ParityCertificate? parity = null;
        LoadedBase loaded;
        if (_files.Form.UsesLibtorch)
        {
            loaded = LoadTorch(vocabularySize);
        }
        else
        {
            (var model, parity) = await _kernels.RunAsync(_files, tokenizer);
            loaded = WithCache(model, vocabularySize);
        }
        try
        {
            await _handOver(loaded, _slots);
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
        return new ModelContent(_files.Config, tokenizer, vocabularySize, _slots.LargestTokens) { ReadAdapter = loaded.ReadAdapter, Parity = parity };
    }

    /// <summary>Nothing to free: what <see cref="RunAsync"/> makes, it gives away or frees itself.</summary>
    public void Dispose()
    {
    }

    /// <summary>Tensors are made, and given away, without an await in between.</summary>
    private TorchBase LoadTorch(int vocabularySize)
    {
        var (backend, format) = _files.Form == WeightForm.Graphics ? (ModelBackend.Graphics, BaseFormat.Bf16) : (ModelBackend.Processor, BaseFormat.Fp32);
        return new(
            ModelFolder.Load(_files.Folder.Path, format: format, backend: backend),
            new KvCache(_files.Config, _slots.BlockCount, SlotPool.BlockTokens, backend),
            vocabularySize);
    }

    private KernelBase WithCache(KernelLlama model, int vocabularySize)
    {
        try
        {
            return new KernelBase(model, new KernelCache(_files.Config, (long)_slots.BlockCount * SlotPool.BlockTokens), _team, vocabularySize, _stepTokens);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
