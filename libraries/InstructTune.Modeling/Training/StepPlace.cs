namespace InstructTune.Modeling.Training;

/// <summary>Where a pass stands in its optimizer step, so that what is drawn for its rows does not depend on how the step was cut.</summary>
/// <param name="FirstRow">Index of its first row among all of the step.</param>
/// <param name="LongestRow">Tokens of the longest row of the step.</param>
public readonly record struct StepPlace(long FirstRow, int LongestRow);
