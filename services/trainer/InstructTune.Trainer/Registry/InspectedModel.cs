namespace InstructTune.Trainer.Registry;

/// <summary>What the files of an upload turned out to hold.</summary>
internal sealed record InspectedModel(ModelKind Kind, long ParameterCount, int ContextTokens, string Architecture, AdapterFacts? Adapter);
