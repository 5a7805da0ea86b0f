namespace InstructTune.Inference.Engine;

/// <summary>
/// What a sequence runs on. Keys are made of content digests and the count of loads, never of names: new content under an old name is
/// another model, and what is loaded again is not mistaken for what is just being removed.
/// </summary>
internal sealed record ModelKey(string BaseKey, string? AdapterKey);
