using InstructTune.Modeling.Gguf;

namespace InstructTune.Benchmarks.Serving;

/// <summary>One line of the table: a load that both programs carry.</summary>
/// <param name="Model">The weights.</param>
/// <param name="Kind">What its figure is.</param>
/// <param name="Streams">Sequences at once.</param>
/// <param name="PromptTokens">Of each.</param>
/// <param name="Steps">Greedy tokens of each after the first.</param>
/// <param name="Adapters">Different adapters; 0 for none.</param>
/// <param name="Floor">The ratio that is promised; 0 for none.</param>
internal sealed record ServingRow(ServingModel Model, RowKind Kind, int Streams, int PromptTokens, int Steps, int Adapters = 0, double Floor = 0)
{
    private const int ShortPrompt = 8;

    public string Name => Kind switch
    {
        RowKind.Prompt => $"pp{PromptTokens}",
        RowKind.FirstToken => $"first token after {PromptTokens}",
        _ => $"tg{Steps}, {Streams} stream{(Streams == 1 ? "" : "s")}{(Adapters == 0 ? "" : $", {Adapters} adapter{(Adapters == 1 ? "" : "s")}")}",
    };

    public int TokensPerStream => PromptTokens + Steps + 8;

    public static IReadOnlyList<ServingRow> All { get; } =
    [
        .. Whole(new ServingModel(ServingModel.SmolLm, GgufTensorType.Q8_0), steps: 64),
        .. Short(new ServingModel(ServingModel.SmolLm, GgufTensorType.Q4_0), steps: 64),
        .. Short(ServingModel.SmolLmQ41, steps: 64),
        .. Whole(new ServingModel(ServingModel.Shape, GgufTensorType.Q8_0), steps: 16),
        .. Short(new ServingModel(ServingModel.Shape, GgufTensorType.Q4_0), steps: 16),
    ];

    private static IEnumerable<ServingRow> Whole(ServingModel model, int steps) =>
    [
        .. Short(model, steps),
        new(model, RowKind.Decode, 2, ShortPrompt, steps),
        new(model, RowKind.Decode, 16, ShortPrompt, steps / 2),
        new(model, RowKind.FirstToken, 1, 128, 0),
        new(model, RowKind.Decode, 4, ShortPrompt, steps / 2, Adapters: 4, Floor: 2),
        .. new[] { 1, 2, 4, 8 }.Select(adapters => new ServingRow(model, RowKind.Decode, 8, ShortPrompt, steps / 2, adapters)),
    ];

    private static IEnumerable<ServingRow> Short(ServingModel model, int steps) =>
    [
        new(model, RowKind.Prompt, 1, 512, 0, Floor: 0.8),
        new(model, RowKind.Decode, 1, ShortPrompt, 128, Floor: 1),
        new(model, RowKind.Decode, 4, ShortPrompt, steps),
        new(model, RowKind.Decode, 8, ShortPrompt, steps, Floor: 1.5),
    ];
}

internal enum RowKind
{
    /// <summary>Prompt tokens per second.</summary>
    Prompt,

    /// <summary>Milliseconds to the first token.</summary>
    FirstToken,

    /// <summary>Tokens per second of all streams together.</summary>
    Decode,
}
