using Google.Protobuf.WellKnownTypes;
using InstructTune.Inference.Admission;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Models;
using InstructTune.Inference.Serving;

namespace InstructTune.Inference.Api;

/// <summary>The state of this replica, put together from those who know a part of it.</summary>
internal sealed class ServingStatsMapping(EngineLoop engine, AdmissionGate gate, ModelResidency residency, ModelTally tally, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();

    public V1.ServingStats Read()
    {
        var snapshot = engine.Counters.Snapshot;
        var resident = residency.Count;
        var stats = new V1.ServingStats
        {
            UpTime = Duration.FromTimeSpan(time.GetElapsedTime(_started)),
            RunningSequences = snapshot.Running.Sum(),
            WaitingRequests = gate.WaitingRequests,
            WaitingPromptTokens = gate.WaitingTokens,
            CacheUsedBytes = snapshot.UsedBytes,
            CachePrefixBytes = snapshot.PrefixBytes,
            CacheTotalBytes = snapshot.TotalBytes,
            PrefixQueryCount = snapshot.PrefixQueries,
            PrefixHitCount = snapshot.PrefixHits,
            PreemptionCount = snapshot.Preemptions,
            RejectedCount = tally.Rejected,
            StepCount = engine.Counters.Steps,
            RowCount = engine.Counters.Rows,
            ResidentBases = resident.Bases,
            ResidentAdapters = resident.Adapters,
            ModelBytes = resident.BaseBytes + resident.AdapterBytes,
        };
        stats.Models.AddRange(tally.List().Select(entry => new V1.ServingStats.Types.ModelStats
        {
            ModelVersion = entry.Model,
            RunningCount = (int)entry.Figures.Running,
            RequestCount = entry.Figures.Requests,
            FailedCount = entry.Figures.Failed,
            PromptTokenCount = entry.Figures.PromptTokens,
            CachedTokenCount = entry.Figures.CachedTokens,
            OutputTokenCount = entry.Figures.OutputTokens,
        }));
        return stats;
    }
}
