using InstructTune.Inference.Engine;
using InstructTune.Inference.Requests;
using InstructTune.Kernels;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Serving;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;

namespace InstructTune.Inference.Models;

/// <summary>Reads full weights and allocates their cache, then gives both away.</summary>
internal sealed class BaseLoad : IModelLoad
{
    private readonly ArtifactFolder _folder;
    private readonly LlamaConfig _config;
    private readonly SlotPool _slots;
    private readonly WeightFormat? _format;
    private readonly Team _team;
    private readonly InferenceOptions _options;
    private readonly ParityLedger _parity;
    private readonly string _sha256;
    private readonly Func<LoadedBase, SlotPool, Task> _handOver;

    public BaseLoad(
        ArtifactFolder folder, string sha256, InferenceOptions options, Team team, ParityLedger parity, Func<LoadedBase, SlotPool, Task> handOver)
    {
        (_folder, _sha256, _options, _parity) = (folder, sha256, options, parity);
        (_format, _team) = (options.KernelFormat, team);
        _handOver = handOver;
        _config = ModelFolder.ReadConfig(folder.Path);
        _slots = new SlotPool(options.CacheBytes, KvCache.SizeBytes(_config, 1, 1), _config.ContextTokens, options.MaxRunning);
        if (_slots.BlockCount == 0)
        {
            throw new InferenceFault(
                FaultKind.ModelDoesNotFit,
                $"Not even {SlotPool.BlockTokens} tokens of this model fit into the {options.CacheBytes} bytes of Inference:CacheBytes.",
                ("limit_bytes", $"{options.CacheBytes}"));
        }
        SizeBytes = WeightBytes() + _slots.SizeBytes;
    }

    public long SizeBytes { get; }

    public async Task<ModelContent> RunAsync()
    {
        var tokenizer = Tokenizer.Load(_folder.Path);
        var vocabularySize = Math.Min(tokenizer.VocabularySize, _config.VocabularySize);
        var (loaded, parity) = Load(tokenizer, vocabularySize);
        try
        {
            await _handOver(loaded, _slots);
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
        return new ModelContent(_config, tokenizer, vocabularySize, _slots.LargestTokens) { ReadAdapter = loaded.ReadAdapter, Parity = parity };
    }

    /// <summary>Nothing to free: what <see cref="RunAsync"/> makes, it gives away or frees itself.</summary>
    public void Dispose()
    {
    }

    /// <summary>Synchronous on purpose: tensors are made, and given away, without an await in between.</summary>
    private (LoadedBase Loaded, ParityCertificate? Parity) Load(Tokenizer tokenizer, int vocabularySize)
    {
        if (_format is not { } format)
        {
            return (new TorchBase(ModelFolder.Load(_folder.Path), new KvCache(_config, _slots.BlockCount, SlotPool.BlockTokens), vocabularySize), null);
        }
        var model = StoredPath is { } stored ? KernelModelFolder.LoadGguf(stored, format) : KernelModelFolder.Load(_folder.Path, format);
        try
        {
            var isExact = !_options.IsRounded || (_options.ServesStored && StoredPath is null);
            var parity = isExact ? null : _parity.Measure(_sha256, _options.WeightFormat.ToLowerInvariant(), _folder.Path, model, tokenizer);
            var cache = new KernelCache(_config, (long)_slots.BlockCount * SlotPool.BlockTokens);
            return (new KernelBase(model, cache, _team, vocabularySize), parity);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>The GGUF file that is served as it is.</summary>
    private string? StoredPath => _options.ServesStored && Path.Combine(_folder.Path, KernelModelFolder.StoredName) is var path && File.Exists(path) ? path : null;

    /// <summary>Weights take what their format takes, whatever the files hold.</summary>
    private long WeightBytes()
    {
        if (StoredPath is { } stored)
        {
            return new FileInfo(stored).Length;
        }
        var fileBytes = _folder.Manifest.Files
            .Where(file => file.Path.EndsWith(".safetensors", StringComparison.Ordinal))
            .Sum(file => file.SizeBytes);
        var weights = fileBytes / (_config.StorageType == "float32" ? sizeof(float) : sizeof(float) / 2);
        return (long)(weights * (_format ?? WeightFormat.Float32).BytesPerWeight());
    }
}
