using System.Text.Json.Serialization;

namespace InstructTune.Jobs;

/// <summary>What happened to a job.</summary>
[JsonDerivedType(typeof(StateChangedBody), "state")]
[JsonDerivedType(typeof(MetricsBody), "metrics")]
[JsonDerivedType(typeof(CheckpointBody), "checkpoint")]
[JsonDerivedType(typeof(StageBody), "stage")]
[JsonDerivedType(typeof(NoticeBody), "notice")]
[JsonDerivedType(typeof(PhaseBody), "phase")]
[JsonDerivedType(typeof(NumericsChangedBody), "numerics")]
public abstract record JobEventBody;

/// <summary>Written by the scripts together with the change itself, and by nothing else.</summary>
public sealed record StateChangedBody(JobState From, JobState To, JobFault? Cause) : JobEventBody;

public sealed record MetricsBody(long Step, long PlannedSteps, string StageId, IReadOnlyDictionary<string, double> Values) : JobEventBody;

public sealed record CheckpointBody(string Checkpoint, long Step) : JobEventBody;

/// <param name="ReusedCheckpoint">Resource name of what took the place of training; empty where the stage is trained.</param>
public sealed record StageBody(string StageId, long PlannedSteps, long ExampleCount, string ReusedCheckpoint = "") : JobEventBody;

/// <summary>This attempt computes on other software, device or threads than the work it goes on from: bits may differ from an undisturbed run.</summary>
public sealed record NumericsChangedBody(IReadOnlyDictionary<string, string> Before, IReadOnlyDictionary<string, string> After) : JobEventBody;

public sealed record NoticeBody(string Reason, string Text, IReadOnlyDictionary<string, string> Metadata) : JobEventBody;

public sealed record PhaseBody(string Phase) : JobEventBody;

/// <summary>One entry of a job's history. Sequences run 1..n with no gap.</summary>
public sealed record JobEventEntry(long Sequence, DateTimeOffset Time, int Attempt, JobEventBody Body);
