using InstructTune.Inference.Admission;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Models;

namespace InstructTune.Inference;

/// <summary>Settings under <c>Inference</c>.</summary>
internal sealed class InferenceOptions
{
    public const string Section = "Inference";

    private const long Gibibyte = 1L << 30;

    /// <summary>Most token positions in one step. More makes prompts faster and the gaps between tokens of others longer.</summary>
    public int StepTokens { get; set; } = 256;

    /// <summary>While a text is being made, a step has no more prompt tokens than this holds, as measured; one block of 64 in any case. Less makes gaps between
    /// tokens shorter and the wait for a first one longer.</summary>
    public TimeSpan StepTime { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Most sequences of one base that run at once. More gives more throughput and each of them fewer tokens per second.</summary>
    public int MaxRunning { get; set; } = 64;

    /// <summary>Most requests that wait; the next one is refused. More hides longer overloads and makes the waits longer.</summary>
    public int MaxWaiting { get; set; } = 256;

    /// <summary>Most waiting requests of one tenant; 0 means half of <see cref="MaxWaiting"/>. Less keeps more places for the others.</summary>
    public int MaxWaitingPerTenant { get; set; }

    /// <summary>Most prompt tokens that wait. A request that waits alone is always let in.</summary>
    public long MaxWaitingTokens { get; set; } = 1 << 19;

    /// <summary>Of them, those of one tenant; 0 means half. Its only waiting request is always let in.</summary>
    public long MaxWaitingTokensPerTenant { get; set; }

    /// <summary>Memory of one base for keys and values. More lets more and longer sequences run at once.</summary>
    public long CacheBytes { get; set; } = Gibibyte;

    /// <summary>Of that, memory for prefixes of prompts, while no sequence needs it; 0 turns the prefix cache off.</summary>
    public long PrefixBytes { get; set; } = Gibibyte / 2;

    /// <summary>
    /// Of that, the share of one tenant; 0 means half. Who holds more makes room first, so that a flood of prompts does not drive out those of
    /// others; what nobody else wants, one tenant may have. Less leaves more to the others.
    /// </summary>
    public long PrefixTenantBytes { get; set; }

    /// <summary>Whether callers are not told how much of a prompt came from the prefix cache: it says that somebody of their tenant asked alike before.</summary>
    public bool HidesCachedTokens { get; set; }

    /// <summary>
    /// Tokens of output that a sequence has memory for when it starts; it gets more when it needs it. Less lets more run at once, and more be
    /// thrown out and computed again.
    /// </summary>
    public int ReservedOutputTokens { get; set; } = 256;

    /// <summary>A request that has waited for so long goes before others of its tenant that are one step more urgent.</summary>
    public TimeSpan AgingTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Shares of tenants while all of them want more than there is; 1 where nothing is said.</summary>
    public Dictionary<string, double> TenantWeights { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Memory for weights and caches of all models. What was used least recently leaves to make room; what is in use never does.</summary>
    public long ModelBytes { get; set; } = 8 * Gibibyte;

    /// <summary>
    /// A version that nobody has used for so long leaves memory, unless it is pinned; 0 keeps it until others need the room. Less frees memory
    /// sooner and makes the next request of a rare version wait for its load.
    /// </summary>
    public TimeSpan KeepIdle { get; set; }

    /// <summary>How long one question to the model registry may take, before what is remembered is used. A registry that is not there is noticed at once.</summary>
    public TimeSpan RegistryTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>A step older than this, and than twenty steps of the usual length, makes the replica unready and fails its requests.</summary>
    public TimeSpan StepTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How often the age of the step is looked at.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Who does not read its stream for so long loses it.</summary>
    public TimeSpan SlowReaderTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Who computes steps, and how weights are kept: <c>torch</c> (float32, by libtorch), or our own kernels with <c>float32</c>, <c>bfloat16</c>,
    /// <c>int8</c> or <c>int4</c> weights, or with <c>gguf</c>: the blocks of the GGUF file that a model was imported from, as they are, and float32 for
    /// models that came otherwise; or <c>cuda</c> (bfloat16, by libtorch on a GPU, of a build that has one). All but torch and float32 change what models answer; how much is measured at a model's first load. A version that is
    /// loaded in a format of its own has that one.
    /// </summary>
    public string WeightFormat { get; set; } = WeightForm.Torch.Name;

    /// <summary>
    /// Whether each thread of our kernels but the engine's own is kept to one processor. On a machine of its own that may save what moving costs;
    /// beside anything else a thread that may not move waits for its processor, and all the others for it.
    /// </summary>
    public bool PinThreads { get; set; }

    public WeightForm Form => WeightForm.Find(WeightFormat)
        ?? throw new InvalidOperationException($"Inference:WeightFormat is {WeightFormat}, which its validator refuses.");

    public SchedulerLimits Limits => new(StepTokens, MaxRunning)
    {
        PrefixBytes = PrefixBytes, PrefixTenantBytes = PrefixTenantBytes > 0 ? PrefixTenantBytes : PrefixBytes / 2,
        ReservedOutputTokens = ReservedOutputTokens, TenantWeights = TenantWeights, StepSeconds = StepTime.TotalSeconds,
    };

    public AdmissionLimits Admission => new(MaxWaiting, MaxWaitingTokens)
    {
        MaxWaitingPerTenant = MaxWaitingPerTenant > 0 ? MaxWaitingPerTenant : Math.Max(1, MaxWaiting / 2),
        MaxWaitingTokensPerTenant = MaxWaitingTokensPerTenant > 0 ? MaxWaitingTokensPerTenant : MaxWaitingTokens / 2,
        MaxWaitingInNoHurry = Math.Max(1, MaxWaiting / 2),
    };
}
