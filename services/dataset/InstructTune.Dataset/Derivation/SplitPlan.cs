using System.Buffers.Binary;
using System.Security.Cryptography;
using InstructTune.Dataset.Examples;

namespace InstructTune.Dataset.Derivation;

/// <summary>
/// Says which part an example belongs to. Without strata this depends on (seed, prompt) alone, so a row added later moves no
/// other. With strata the prompts of every task are put in the order of that same hash and cut at the fractions.
/// </summary>
internal sealed class SplitPlan
{
    private readonly SplitSpec _spec;
    private readonly (string Part, double End)[] _parts;
    private readonly Dictionary<UInt128, string> _partByPrompt = [];

    private SplitPlan(SplitSpec spec)
    {
        _spec = spec;
        var end = 0.0;
        _parts = [.. spec.Fractions.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => (f.Key, end += f.Value))];
    }

    /// <summary>Reads all examples once where the parts depend on them.</summary>
    public static SplitPlan Create(SplitSpec spec, IEnumerable<Example> examples)
    {
        var plan = new SplitPlan(spec);
        if (spec.StratifyByTask)
        {
            plan.Stratify(examples);
        }

        return plan;
    }

    public string PartOf(Example example)
    {
        var hash = Hash(example.Prompt);
        return _spec.StratifyByTask ? _partByPrompt[hash] : PartAt((double)(ulong)(hash >> 64) / ulong.MaxValue);
    }

    private void Stratify(IEnumerable<Example> examples)
    {
        var promptsByTask = new SortedDictionary<string, List<UInt128>>(StringComparer.Ordinal);
        foreach (var example in examples)
        {
            var hash = Hash(example.Prompt);
            // A prompt that occurs in several tasks is counted in the first: it must not be in two parts.
            if (_partByPrompt.TryAdd(hash, ""))
            {
                promptsByTask.TryAdd(example.Task, []);
                promptsByTask[example.Task].Add(hash);
            }
        }

        foreach (var prompts in promptsByTask.Values)
        {
            prompts.Sort();
            for (var rank = 0; rank < prompts.Count; rank++)
            {
                _partByPrompt[prompts[rank]] = PartAt((rank + 0.5) / prompts.Count);
            }
        }
    }

    private string PartAt(double position)
    {
        foreach (var (part, end) in _parts)
        {
            if (position < end)
            {
                return part;
            }
        }

        return _parts[^1].Part;
    }

    private UInt128 Hash(Prompt prompt)
    {
        var bytes = CanonicalForm.PromptBytes(prompt);
        var seeded = new byte[sizeof(ulong) + bytes.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(seeded, _spec.Seed);
        bytes.CopyTo(seeded, sizeof(ulong));
        return BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(seeded));
    }
}
