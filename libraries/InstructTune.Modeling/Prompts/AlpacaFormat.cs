namespace InstructTune.Modeling.Prompts;

/// <summary>The template of Stanford Alpaca, byte for byte: nothing follows the last colon. And others of its kind.</summary>
internal static class AlpacaFormat
{
    private const string WithInputPreamble =
        "Below is an instruction that describes a task, paired with an input that provides further context. "
        + "Write a response that appropriately completes the request.";

    private const string Preamble =
        "Below is an instruction that describes a task. Write a response that appropriately completes the request.";

    public static SectionFormat Create() => new()
    {
        Name = "alpaca",
        WithInput = WithInputPreamble + "\n\n### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:",
        WithoutInput = Preamble + "\n\n### Instruction:\n{instruction}\n\n### Response:",
        ConversationPreamble = Preamble,
        UserTurn = "\n\n### Instruction:\n{text}\n\n### Response:",
    };

    /// <summary>The template that LLaMA-Factory calls alpaca: the input follows the instruction, and a line feed the last colon.</summary>
    public static PieceFormat CreateLlamaFactory() => new()
    {
        Name = "alpaca_lf",
        Preamble = Preamble + "\n\n",
        UserTurn = "### Instruction:\n{text}\n\n### Response:\n",
        AfterResponse = "\n\n",
    };

    /// <summary>Nothing but the texts, with empty lines between them.</summary>
    public static SectionFormat CreatePlain() => new()
    {
        Name = "plain",
        WithInput = "{instruction}\n\n{input}\n\n",
        WithoutInput = "{instruction}\n\n",
        ConversationPreamble = "",
        UserTurn = "{text}\n\n",
    };
}
