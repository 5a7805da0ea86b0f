namespace InstructTune.Unit.Tests.Inference;

/// <summary>A rule that must always hold did not.</summary>
internal sealed class SimulationFailedException(string problem) : Exception(problem);
